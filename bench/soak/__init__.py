"""Whether the data plane's memory grows: millions of good, bad and broken requests, and a slope.

    python -m bench soak --requests 10000000

wrk asks in slices as fast as the worker answers (small and 100 KB answers, plain and chunked,
POSTs), every time another path and another user, so that a cache without a bound shows;
`soak.trouble` is every bad client there is meanwhile; 2% of the requests are mirrored. After each
slice the processes' memory is read. `soak.verdict` judges.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import machine, processes
from bench.accounting import cpu_ns, open_files, pss_bytes, rss_bytes
from bench.load import wrk
from bench.processes import BenchError, free_ports, program
from bench.proxy import instance, origin
from bench.proxy.instance import Instance
from bench.proxy.products import cutover
from bench.proxy.products.site import Plan, Site
from bench.soak import verdict
from bench.soak.verdict import Reading

MIRRORED = "2%"

_SCRIPT = """
local at = {begin}
local body = string.rep("x", 10240)
local get = "GET %s/%d HTTP/1.1\\r\\nHost: bench.example\\r\\nUser-Agent: bench/1.0\\r\\n" ..
  "Accept: */*\\r\\nCookie: PHPSESSID=u%d\\r\\n\\r\\n"
local post = "POST /post/%d HTTP/1.1\\r\\nHost: bench.example\\r\\nContent-Length: 10240\\r\\n" ..
  "Cookie: PHPSESSID=u%d\\r\\n\\r\\n"
request = function()
  at = at + 1
  local kind = at % 25
  if kind == 0 then return get:format("/large", at, at) end
  if kind == 1 then return get:format("/chunked", at, at) end
  if kind < 4 then return post:format(at, at) .. body end
  return get:format("/api/r" .. at % 19, at, at)
end
"""


def main(argv: Sequence[str]) -> dict[str, Any]:
    """Soak, print the readings, judge. Raises BenchError."""
    asked = _parser().parse_args(argv)
    product_cores, load_cores = processes.cores()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cutover-soak-")))
        folder.chmod(0o755)
        ours = _start(stack, folder, product_cores[:1], load_cores)
        trouble = _start_trouble(stack, ours, load_cores)
        readings = _soak(ours, folder, load_cores, asked)
        tallies = _end_trouble(trouble)
    print(f"{machine.describe()}; {readings[-1].requests:,} of {asked.requests:,} requests\n")
    print(verdict.table(readings), end="\n\n")
    print("bad clients: " + ", ".join(f"{kind} {t['fine']}" for kind, t in tallies.items()))
    surprises = {kind: str(t["example"]) for kind, t in tallies.items() if t["surprises"]}
    result = verdict.judge(readings, surprises)
    print(result.sentence)
    figures = result.figures | {"bad_clients": float(sum(t["fine"] for t in tallies.values()))}
    return {"ratios": {}, "figures": figures} | ({} if result.good else {"failed": result.sentence})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench soak", description="Does the data plane's memory grow?"
    )
    parser.add_argument("--requests", type=int, default=3_000_000, help="default 3,000,000")
    parser.add_argument("--slice", type=int, default=5, help="seconds between readings (5)")
    parser.add_argument("--minutes", type=float, default=60, help="give up after (60)")
    return parser


def _start(
    stack: contextlib.ExitStack, folder: Path, product_core: list[int], load_cores: list[int]
) -> Instance:
    behind, port, spare = free_ports(3)
    site = Site(folder / "origin", behind, 0)
    process = instance.launch(stack, origin.configure(site), site, load_cores)
    processes.await_listening(behind, process, site.folder / "log")
    product = dataclasses.replace(cutover.PRODUCT, configure=_mirroring)
    return instance.start(
        stack, product, Site(folder / "cutover", port, behind, spare=spare), product_core
    )


def _mirroring(site: Site) -> Plan:
    plan = cutover.configure(site)
    return dataclasses.replace(
        plan, files={"routing_rules.yaml": cutover.rules(site, mirror=MIRRORED)}
    )


def _soak(
    ours: Instance, folder: Path, load_cores: list[int], asked: argparse.Namespace
) -> list[Reading]:
    script = folder / "soak.lua"
    done, began, readings = 0, time.monotonic(), list[Reading]()
    worker = 0
    while done < asked.requests and time.monotonic() - began < asked.minutes * 60:
        script.write_text(_SCRIPT.format(begin=done) + wrk.SUMMARY)
        pids = ours.pids()
        before = {pid: cpu_ns([pid]) for pid in pids}
        run = _slice(script, ours, load_cores, asked.slice)
        used = {pid: cpu_ns([pid]) - before[pid] for pid in pids}
        if run.failed or not run.requests:
            raise BenchError(f"{run.failed} requests failed, {run.requests} were answered")
        worker = worker or max(used, key=lambda pid: used[pid])
        if worker not in ours.pids():
            raise BenchError(f"the worker died; {processes.last_words(ours.site.folder / 'log')}")
        done += run.requests
        others = [pid for pid in pids if pid != worker]
        readings.append(
            Reading(
                seconds=time.monotonic() - began,
                requests=done,
                pss=pss_bytes([worker]),
                rss=rss_bytes([worker]),
                others=pss_bytes(others),
                files=open_files(worker),
                rate=run.requests / run.seconds,
            )
        )
        print(verdict.line(readings[-1]), file=sys.stderr, flush=True)
    return readings


def _slice(script: Path, ours: Instance, load_cores: list[int], seconds: int) -> wrk.Run:
    command = wrk.command(script, ours.url, 32, seconds)
    command[0] = program("wrk") or "wrk"
    pinned = ["taskset", "-c", ",".join(map(str, load_cores)), *command]
    done = subprocess.run(
        pinned, capture_output=True, text=True, check=False, timeout=seconds * 5 + 60
    )
    try:
        return wrk.parse(done.stdout)
    except ValueError as error:
        raise BenchError(str(error)) from error


def _start_trouble(
    stack: contextlib.ExitStack, ours: Instance, load_cores: list[int]
) -> subprocess.Popen[str]:
    pinned = ["taskset", "-c", ",".join(map(str, load_cores))]
    trouble = subprocess.Popen(
        [*pinned, sys.executable, "-m", "bench.soak.trouble", str(ours.site.port)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    stack.callback(trouble.kill)
    return trouble


def _end_trouble(trouble: subprocess.Popen[str]) -> dict[str, dict[str, Any]]:
    """End the troublemaker, and give what it counted for each of its kinds."""
    if trouble.poll() is not None:
        raise BenchError("the troublemaker died")
    trouble.terminate()
    said, _ = trouble.communicate(timeout=60)
    found: dict[str, dict[str, Any]] = json.loads(said)
    return found
