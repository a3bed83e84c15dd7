"""The two measurements, with the products taking turns."""

from __future__ import annotations

import contextlib
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench import processes
from bench.accounting import cpu_ns
from bench.load.openloop import PATIENCE_NS
from bench.mirror.products import NGINX, OFF, OURS, products
from bench.mirror.shadows import Processes
from bench.mirror.side import SLOW
from bench.processes import BenchError, free_ports
from bench.proxy import instance, measure, origin
from bench.proxy.instance import Instance
from bench.proxy.measure import Load
from bench.proxy.products.site import Site, Variant
from bench.proxy.run import INSTALL, compile_hot_path, say
from bench.proxy.sample import Sample, Samples
from bench.proxy.workload import BY_NAME

MIRRORED = "mirrored"
RECORDING = "recording"
TROUBLE = ("slow", "refusing", "dead")
"""What can be wrong with the side that is mirrored to: it answers after 10 s, nobody listens, or it
takes every connection and never answers."""

AGAIN = "again"
"""Without a mirror, measured once more."""

HOPELESS = frozenset({f"{NGINX} slow", f"{NGINX} dead"})
HOPELESS_ROUNDS = 2
"""What is measured in so many rounds only, and which."""

ROUNDS = {"throughput": 5, "latency": 20, "recording": 5}
"""How many, by part, unless told."""


def run(parts: Sequence[str], rounds: Mapping[str, int], seconds: int, rate: int) -> Samples:
    """Measure, each part in so many rounds; they are the samples' workloads. Raises BenchError."""
    for name in ("wrk", "nginx", "taskset"):
        if processes.program(name) is None:
            raise BenchError(f"{name} is missing. {INSTALL}")
    cores, load_cores = processes.cores()
    compile_hot_path()
    samples = Samples()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cutover-bench-")))
        folder.chmod(0o755)  # nginx's worker is not root
        bench = _Bench(stack, folder, cores, load_cores, seconds)
        if "throughput" in parts:
            mirrors = {OFF: 0, MIRRORED: bench.start_origin("candidate")}
            with bench.running(mirrors) as contestants:
                _throughput(bench, contestants, rounds["throughput"], samples)
        if "latency" in parts:
            with bench.running({OFF: 0} | bench.start_trouble()) as contestants:
                _latency(bench, contestants, rounds["latency"], rate, samples)
        if "recording" in parts:
            with bench.running({OFF: 0}) as contestants:
                ((ours, its),) = [found for found in contestants if found[1] is not None]
                _recording(bench, ours, its, rounds["recording"], samples)
    return samples


Contestants = list[tuple[Instance, Processes | None]]
"""Products that run; with ours its processes."""


class _Bench:
    """What all measurements share: a folder, the cores, the primary's origin, and the load."""

    def __init__(
        self,
        stack: contextlib.ExitStack,
        folder: Path,
        cores: list[int],
        load_cores: list[int],
        seconds: int,
    ) -> None:
        self.folder = folder
        self.cores = cores[:1]
        self.load_cores = load_cores
        self._stack = stack
        self.origin = self.start_origin("origin")
        workload = BY_NAME["get"]
        script = measure.prepare(workload, 0, folder / "load")
        self.load = Load(workload, script, self.origin, seconds, load_cores)

    def start_origin(self, name: str) -> int:
        """Start an application that answers; give its port."""
        (port,) = free_ports(1)
        site = Site(self.folder / name, port, 0)
        process = instance.launch(self._stack, origin.configure(site), site, self.load_cores)
        processes.await_listening(port, process, site.folder / "log")
        return port

    def start_trouble(self) -> dict[str, int]:
        """Start sides in trouble; give their ports. Nobody listens at the one that refuses."""
        ports = dict(zip(TROUBLE, free_ports(len(TROUBLE)), strict=True))
        for name, seconds in (("slow", [str(SLOW)]), ("dead", [])):
            command = [sys.executable, "-m", "bench.mirror.side", str(ports[name]), *seconds]
            log = self.folder / f"{name}.log"
            process = self._stack.enter_context(processes.running(command, self.load_cores, log))
            processes.await_listening(ports[name], process, log)
        return ports

    @contextlib.contextmanager
    def running(self, mirrors: dict[str, int]) -> Iterator[Contestants]:
        """Run both products for each state of the mirror; give them with our processes."""
        part = Path(tempfile.mkdtemp(dir=self.folder))  # each part has a product of the same name
        part.chmod(0o755)
        with contextlib.ExitStack() as stack:
            found: Contestants = []
            for product in products(mirrors):
                port, spare = free_ports(2)
                folder = part / product.name.replace(" ", "-")
                site = Site(folder, port, self.origin, Variant(), None, spare=spare)
                each = instance.start(stack, product, site, self.cores)
                ours = product.name.startswith(OURS)
                found.append((each, Processes.of(each, self.load_cores) if ours else None))
                say(f"started {each.label}")
            yield found


def _throughput(bench: _Bench, contestants: Contestants, rounds: int, samples: Samples) -> None:
    for number in range(rounds + 1):
        for each, ours in _in_turn(contestants, number):
            values = _closed(bench, each, ours)
            if number:  # the first round fills pools and caches
                samples.add(Sample("throughput", each.product.name, Variant(), values))
                say(f"throughput, round {number}: {each.label}: {values['requests_per_s']:.0f}/s")


def _closed(bench: _Bench, each: Instance, ours: Processes | None) -> dict[str, float]:
    """Let wrk ask as fast as it gets answers; of ours, wait until all of it is compared."""
    front = ours.data_plane if ours is not None else each.pids()
    before, shadow_before, began = cpu_ns(front), 0, time.monotonic()
    seen = None
    if ours is not None:
        seen, shadow_before = ours.compared(), ours.shadow_ns()
    values = measure.closed(each, bench.load)
    wall = time.monotonic() - began
    number = round(values["requests_per_s"] * bench.load.seconds)
    used = cpu_ns(front) - before
    found = {
        "requests_per_s": values["requests_per_s"],
        "front_cpu_us": used / number / 1000,
        "busy": used / 1e9 / wall,
    }
    if ours is None or seen is None or each.product.name.endswith(OFF):
        return found
    after = ours.await_compared(seen.all + number)
    compared = after.compared - seen.compared
    return found | {
        "compared_share": compared / (after.all - seen.all),
        "shadow_cpu_us": (ours.shadow_ns() - shadow_before) / max(compared, 1) / 1000,
        "compared_after_s": time.monotonic() - began - wall,
    }


def _recording(
    bench: _Bench, ours: Instance, its: Processes | None, rounds: int, samples: Samples
) -> None:
    if its is None:
        raise BenchError("nothing to record with")
    for number in range(rounds + 1):
        for state in (OFF, RECORDING) if number % 2 else (RECORDING, OFF):
            folder = its.record(ours.site.port) if state == RECORDING else None
            shadow = its.shadow_ns()
            values = _closed(bench, ours, its)
            if folder is not None:
                asked = values["requests_per_s"] * bench.load.seconds
                written = its.end_recording(folder)
                values["recorded_share"] = min(1.0, written / asked)
                values["shadow_cpu_us"] = (its.shadow_ns() - shadow) / max(written, 1) / 1000
            if number:
                samples.add(Sample("recording", f"{OURS} {state}", Variant(), values))
                say(f"recording, round {number}: {state}: {values['front_cpu_us']:.1f} us")


def _latency(
    bench: _Bench, contestants: Contestants, rounds: int, rate: int, samples: Samples
) -> None:
    """Many short rounds: a high percentile is a figure of pauses, and the machine has its own.

    What is told of each run is how it compares with the one of the same round without a mirror.
    """
    for number in range(rounds + 1):
        found = {}
        for name, each in _turns([each for each, _ in contestants], number):
            found[name] = counted(measure.watched(each.site.port, bench.load, rate, number))
        if not number:
            continue
        for name, values in found.items():
            values["times_off"] = values["p99_us"] / _without_mirror(found, name)
            samples.add(Sample("latency", name, Variant(), values))
        said = ", ".join(f"{name} {values['p99_us']:.0f}" for name, values in found.items())
        say(f"latency, round {number}, p99 in us: {said}")


def _without_mirror(found: Mapping[str, dict[str, float]], name: str) -> float:
    """Give what a state's p99 is divided by: the middle of the two that the product has without.

    The second of these is divided by the first.
    """
    product, _, state = name.partition(" ")
    off = found[f"{product} {OFF}"]["p99_us"]
    if state in (OFF, AGAIN):
        return off
    return math.sqrt(off * found[f"{product} {AGAIN}"]["p99_us"])


def _turns(instances: Sequence[Instance], number: int) -> list[tuple[str, Instance]]:
    """Whom to measure in this round, by name, each round beginning with another one.

    Without a mirror each product is measured twice: how far that is from itself is how far the
    figures of a round are to be believed. And what leaves nearly everybody waiting for ten seconds
    does so whatever the mood of the machine, so that a few times are enough.
    """
    found = [
        (each.product.name, each)
        for each in instances
        if each.product.name not in HOPELESS or 0 < number <= HOPELESS_ROUNDS
    ]
    found += [(f"{name.split()[0]} {AGAIN}", each) for name, each in found if name.endswith(OFF)]
    at = number % len(found)
    return found[at:] + found[:at]


def counted(values: dict[str, float]) -> dict[str, float]:
    """Let requests that were never answered count as answered at the end of all patience."""
    if values["failed"] <= 0.01 * values["requests"]:
        return values
    return values | {"p99_us": PATIENCE_NS / 1000}


def _in_turn(contestants: Contestants, number: int) -> Contestants:
    """Each round begins with another one."""
    at = number % len(contestants)
    return contestants[at:] + contestants[:at]
