"""The three ways to measure a running product: closed loop, open loop, idle connections."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench.accounting import cpu_ns, pss_bytes, rss_bytes
from bench.load import wrk
from bench.load.requests import requests
from bench.machine import stolen_ns
from bench.processes import BenchError, last_words, program
from bench.proxy.instance import Instance
from bench.proxy.products.cutover import ROUTES
from bench.proxy.workload import Workload

T = TypeVar("T")

FULL = 0.95
"""Above this share of its core a product is the bottleneck, below it the load's side is."""

FASTEST_OPEN = 12_000
"""Requests a second that the open-loop generator sends at most: beyond, it measures itself."""

STOLEN = 0.002
LATE_US = 150.0
"""Share of a run that the hypervisor may keep for itself, and how late the generator may send what
it has a free connection for (99th percentile). Beyond, the machine is measured, not the product:
a 99th percentile is a figure of pauses."""
TRIES = 8
"""Runs until one is calm; if none is, the calmest counts."""


@dataclass(frozen=True, slots=True)
class Load:
    """A workload's requests on disk, and the cores that send them."""

    workload: Workload
    script: Path
    origin: int
    seconds: int
    cores: list[int]

    @property
    def requests(self) -> Path:
        """The packed requests."""
        return self.script.with_name("requests")


def prepare(workload: Workload, routes: int, folder: Path) -> Path:
    """Write the requests of a workload for so many routes; give wrk's script."""
    folder.mkdir(exist_ok=True)
    # The last of the routes takes the rest: nobody asks for it.
    return wrk.write_script(folder, requests(workload.shape, max(routes, ROUTES) - 1))


def closed(instance: Instance, load: Load) -> dict[str, float]:
    """Let wrk ask as fast as it gets answers. Raises BenchError when any request fails."""
    command = wrk.command(load.script, instance.url, load.workload.connections, load.seconds)
    pids = instance.pids()
    before, began = {pid: cpu_ns([pid]) for pid in pids}, time.monotonic()
    done = _run(command, load)
    wall = time.monotonic() - began
    used = sorted((cpu_ns([pid]) - before[pid] for pid in pids), reverse=True)
    run = wrk.parse(done)
    if run.failed or not run.requests:
        raise BenchError(
            f"{instance.label}, {load.workload.name}: {run.failed} requests failed,"
            f" {run.requests} were answered; {last_words(instance.site.folder / 'log', 300)}"
        )
    values = {
        "cpu_us": sum(used) / run.requests / 1000,
        "requests_per_s": run.requests / run.seconds,
        "busy": sum(used) / 1e9 / wall,
        "pss_mb": pss_bytes(pids) / 1e6,
        "rss_mb": rss_bytes(pids) / 1e6,
    }
    if instance.product.split:
        # Those that did the work are the data plane's; the rest is controller and shadow worker.
        front = used[: instance.site.variant.workers]
        values["data_plane_cpu_us"] = sum(front) / run.requests / 1000
    if set(load.cores) & os.sched_getaffinity(pids[-1]):
        del values["requests_per_s"]  # product and load were in each other's way
    return values


def open_loop(instance: Instance, load: Load, rate: float, seed: int) -> dict[str, float]:
    """Send at `rate`, once through the product and once to the origin directly, same times.

    Each is repeated until the machine was calm meanwhile, whatever the figures were.
    """
    rate = min(rate, FASTEST_OPEN)
    through = calmest(lambda: _open(instance.site.port, load, rate, seed, instance.label))
    direct = calmest(lambda: _open(load.origin, load, rate, seed, "the origin"))
    return {
        "rate": rate,
        "p50_us": through["p50_us"],
        "p99_us": through["p99_us"],
        "p999_us": through["p999_us"],
        "direct_p50_us": direct["p50_us"],
        "direct_p99_us": direct["p99_us"],
        "late_us": max(through["late_us"], direct["late_us"]),
        "stolen": max(through["stolen"], direct["stolen"]),
    }


def calmest(
    run: Callable[[], dict[str, float]], first: dict[str, float] | None = None
) -> dict[str, float]:
    """Run until the machine was calm meanwhile, at most TRIES times; give that run or the calmest.

    The first may have been done.

    A run gives `stolen`, the share of its time that the hypervisor took, and `late_us`. What it
    says of the product has no influence.
    """
    found = run() if first is None else first
    for _ in range(TRIES - 1):
        if _unrest(found) <= 1.0:
            break
        found = min(found, run(), key=_unrest)
    return found


def _unrest(found: dict[str, float]) -> float:
    """How restless the machine was during a run; 1 is as much as may be."""
    return max(found["stolen"] / STOLEN, found["late_us"] / LATE_US)


def _open(port: int, load: Load, rate: float, seed: int, label: str) -> dict[str, float]:
    found = watched(port, load, rate, seed)
    if found["failed"]:
        raise BenchError(f"{label}: {found['failed']} of {found['requests']} requests failed")
    return found


def watched(port: int, load: Load, rate: float, seed: int) -> dict[str, float]:
    """Send at `rate` once, and see how calm the machine was; requests that failed are counted."""
    cores = os.sched_getaffinity(0)
    before = stolen_ns(cores)
    found = open_once(port, load, rate, seed)
    return found | {"stolen": (stolen_ns(cores) - before) / len(cores) / 1e9 / load.seconds}


def open_once(port: int, load: Load, rate: float, seed: int) -> dict[str, float]:
    """Send at `rate` once; requests that failed are counted, whatever they are."""
    arguments = (port, load.requests, rate, load.seconds, load.workload.connections, seed)
    said = _run([sys.executable, "-m", "bench.load.openloop", *map(str, arguments)], load)
    found: dict[str, float] = json.loads(said)
    return found


def idle(instance: Instance, load: Load) -> dict[str, float]:
    """Open the connections, and see how much memory the product has more than before."""
    count = load.workload.connections
    pids = instance.pids()
    before = pss_bytes(pids)
    command = [sys.executable, "-m", "bench.load.idle", str(instance.site.port)]
    with subprocess.Popen(
        [*_pinned(load), *command, str(load.requests), str(count)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None  # noqa: S101 - the types do not know of PIPE
        ready = holder.stdout.readline().strip() == "ready"
        after = pss_bytes(pids)
        _, said = holder.communicate("")
    if not ready:
        raise BenchError(f"{instance.label}: {said.strip()[-300:]}")
    return {"kb_per_connection": (after - before) / count / 1024, "before_mb": before / 1e6}


def half_load(rates: list[float]) -> float:
    """The rate of the open loop, from the throughputs of the closed one."""
    return statistics.median(rates) / 2


def _run(command: list[str], load: Load) -> str:
    found = program(command[0])
    if found is None:
        raise BenchError(f"{command[0]} is not installed")
    try:
        done = subprocess.run(
            [*_pinned(load), found, *command[1:]],
            capture_output=True, text=True, check=False, timeout=load.seconds * 5 + 60,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{command[0]} did not end in {error.timeout:.0f} s") from error
    if done.returncode:
        raise BenchError(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def _pinned(load: Load) -> list[str]:
    return ["taskset", "-c", ",".join(map(str, load.cores))]
