"""Our processes besides the data plane: where they run, and what they have compared."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.accounting import cpu_ns
from bench.processes import BenchError
from bench.proxy.instance import Instance
from shadow_compare.replay.goreplay import SEPARATOR

PATIENCE = 60.0

RECORDED = {"reason": "bench", "seconds": 3600, "bytes": 2**33}
END_OF_ONE = SEPARATOR.strip()

_COUNTED = re.compile(r"^cutover_(comparisons|captures_dropped)_total\{(.*)\} (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of captures so far: compared, or lost in any way."""

    compared: int
    lost: int

    @property
    def all(self) -> int:
        """How many have been dealt with."""
        return self.compared + self.lost


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes of one instance of ours, by what they do."""

    admin: int
    data_plane: list[int]
    shadow: list[int]

    @staticmethod
    def of(instance: Instance, cores: Iterable[int]) -> Processes:
        """Find them, and give all but the data plane other cores. Raises BenchError."""
        admin = instance.site.spare
        by_role = _roles(admin)
        for pid in instance.pids():
            if pid not in by_role["worker"]:
                _move(pid, cores)
        return Processes(admin, by_role["worker"], by_role["shadow"])

    def compared(self) -> Compared:
        """Read from the metrics what became of captures."""
        compared = lost = 0
        for name, labels, number in _COUNTED.findall(_read(self.admin, "/metrics")):
            if name == "comparisons" and "not_compared" not in labels:
                compared += int(float(number))
            else:
                lost += int(float(number))
        return Compared(compared, lost)

    def await_compared(self, number: int) -> Compared:
        """Wait until so many captures have been dealt with. Raises BenchError."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.compared()).all < number:
            if time.monotonic() > deadline:
                raise BenchError(
                    f"of {number} captures {found.all} were dealt with in {PATIENCE} s"
                )
            time.sleep(0.25)
        return found

    def shadow_ns(self) -> int:
        """Give the CPU time of all shadow workers."""
        return cpu_ns(self.shadow)

    def record(self, asked: int) -> Path:
        """Have all that is asked at a port recorded; give the folder, once workers follow."""
        told = _send(self.admin, "/api/v1/recording/start", RECORDED)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            _read(asked, "/api/r0/0")
            for each in _send(self.admin, "/api/v1/recording")["recordings"]:
                if each["id"] == told["recording"]["id"] and each["bytes"]:
                    return Path(each["folder"])
            time.sleep(0.1)
        raise BenchError(f"nothing was recorded in {PATIENCE} s")

    def end_recording(self, folder: Path) -> int:
        """Wait until all is written, end it, and give how many requests there are."""
        before, now = -1, 0
        while now != before:
            time.sleep(1.0)
            before, now = now, sum(each.stat().st_size for each in folder.glob("*.gor"))
        _send(self.admin, "/api/v1/recording/stop", {"reason": "bench"})
        return sum(each.read_bytes().count(END_OF_ONE) for each in folder.glob("*.gor"))


def _send(port: int, path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        return json.load(answer)


def _roles(admin: int) -> dict[str, list[int]]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        workers = json.loads(_read(admin, "/api/v1/status"))["workers"]
        found: dict[str, list[int]] = {"worker": [], "shadow": []}
        for each in workers:
            if each["connected"]:
                found[each["role"]].append(each["pid"])
        if all(found.values()):
            return found
        time.sleep(0.1)
    raise BenchError("the data plane and the shadow worker did not start")


def _read(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


def _move(pid: int, cores: Iterable[int]) -> None:
    """Pin a process with all its threads."""
    command = ["taskset", "-a", "-c", "-p", ",".join(map(str, cores)), str(pid)]
    subprocess.run(command, capture_output=True, check=True)
