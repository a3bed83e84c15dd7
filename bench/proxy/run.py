"""One run: start what a group of workloads needs, let the products take turns, keep the samples."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import processes
from bench.processes import BenchError, free_ports, program
from bench.proxy import instance, measure, origin, profile
from bench.proxy.arguments import Asked
from bench.proxy.instance import Instance
from bench.proxy.measure import Load
from bench.proxy.products.all import OURS
from bench.proxy.products.site import Product, Site, Variant
from bench.proxy.sample import Sample, Samples
from bench.proxy.workload import PLAIN, Kind, Workload

INSTALL = "make bench NAME=proxy installs everything; or: deploy/setup.sh --bench"
MODULES = {"aiohttp": "aiohttp", "starlette": "httpx"}


@dataclass(slots=True)
class Run:
    """What one run has: its folder, its cores, the origin, the samples so far."""

    asked: Asked
    folder: Path
    product_cores: list[int]
    load_cores: list[int]
    origin: int
    certificate: Path
    samples: Samples

    def cores_for(self, workers: int) -> list[int]:
        """Where a product runs: on its own cores, or with too few of them on all."""
        if workers <= len(self.product_cores):
            return self.product_cores[:workers]
        return self.product_cores + self.load_cores

    def products(self, workload: Workload, variant: Variant) -> list[Product]:
        """Who takes part, ours first."""
        peers = [
            peer
            for peer in self.asked.peers
            if (peer.tls or not variant.tls)
            and (workload.kind is Kind.IDLE or workload.connections <= peer.busy_most)
            and (not variant.routes or (peer.routes and self.asked.explicit))
        ]
        return peers if variant.tls and not OURS.tls else [OURS, *peers]


def run(asked: Asked) -> Samples:
    """Measure everything that was asked for. Raises BenchError."""
    product_cores, load_cores = processes.cores()
    compile_hot_path()
    asked = _with_what_is_there(asked)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cutover-bench-")))
        folder.chmod(0o755)  # nginx's worker is not root
        (port,) = free_ports(1)
        site = Site(folder / "origin", port, 0)
        process = instance.launch(stack, origin.configure(site), site, load_cores)
        processes.await_listening(port, process, site.folder / "log")
        here = Run(
            asked, folder, product_cores, load_cores, port, instance.certificate(folder), Samples()
        )
        for (variants, _), workloads in itertools.groupby(
            sorted(asked.workloads, key=lambda workload: workload.variants != (PLAIN,)),
            key=lambda workload: (workload.variants, workload.kind is Kind.IDLE),
        ):
            _group(here, variants, list(workloads))
        return here.samples


def say(text: str) -> None:
    """Tell how far the run is; the table and the JSON alone go to standard output."""
    print(text, file=sys.stderr, flush=True)


def compile_hot_path() -> None:
    """Have the hot path compiled, as in production; where there is no compiler, it is interpreted.

    In a process of its own: what compiles imports more than a bench should carry.
    """
    subprocess.run([sys.executable, "-m", "deploy.compile"], stdout=sys.stderr, check=False)


def _with_what_is_there(asked: Asked) -> Asked:
    for name in ("wrk", "nginx", "openssl", "taskset"):
        if program(name) is None:
            raise BenchError(f"{name} is missing. {INSTALL}")
    lacking = [peer for peer in asked.peers if not _is_there(peer)]
    if lacking and asked.peers_named:
        said = ", ".join(f"{peer.name} ({peer.package})" for peer in lacking)
        raise BenchError(f"not installed: {said}. {INSTALL}")
    for peer in lacking:
        say(f"{peer.name} is not installed ({peer.package}) and is left out. {INSTALL}")
    kept = tuple(peer for peer in asked.peers if peer not in lacking)
    return Asked(**{name: getattr(asked, name) for name in asked.__slots__} | {"peers": kept})


def _is_there(peer: Product) -> bool:
    module = MODULES.get(peer.name)
    if module is not None:
        return importlib.util.find_spec(module) is not None
    return program(peer.program) is not None


def _group(here: Run, variants: Sequence[Variant], workloads: list[Workload]) -> None:
    """Start the products once for all workloads that need them in these variants."""
    if workloads[0].kind is Kind.IDLE:
        for workload in workloads:
            _idle(here, workload)
        return
    with contextlib.ExitStack() as stack:
        contestants = [
            started
            for variant in variants
            for product in here.products(workloads[0], variant)
            if (started := _start(stack, here, workloads[0], product, variant)) is not None
        ]
        for workload in workloads:
            taking_part = [
                each
                for each in contestants
                if each.product in here.products(workload, each.site.variant)
            ]
            _rounds(here, workload, taking_part)
            if here.asked.profile and workload.kind is Kind.CLOSED:
                _profile(here, workload, contestants[0])


def _start(
    stack: contextlib.ExitStack, here: Run, workload: Workload, product: Product, variant: Variant
) -> Instance | None:
    port, spare = free_ports(2)
    name = f"{product.name}-{port}"
    site = Site(
        here.folder / name,
        port,
        here.origin,
        variant,
        here.certificate if variant.tls else None,
        here.asked.access_log,
        spare,
    )
    try:
        started = instance.start(stack, product, site, here.cores_for(variant.workers))
    except BenchError as error:
        _fail(here, workload, product, variant, error)
        return None
    say(f"started {started.label}")
    if product.split and (note := f"{product.name}: {started.first_words()}") not in (
        here.samples.notes
    ):
        here.samples.notes.append(note)
    return started


def _rounds(here: Run, workload: Workload, contestants: list[Instance]) -> None:
    """Every product once in every round, each round beginning with another one.

    One that fails a request is out of the workload: half a pair is none.
    """
    loads = {each.site.variant: _load(here, workload, each.site.variant) for each in contestants}
    fit = [each for each in contestants if _is_warm(here, workload, each, loads)]
    for number in range(here.asked.rounds):
        turn = number % max(len(fit), 1)
        for each in fit[turn:] + fit[:turn]:
            say(f"{workload.name}: round {number + 1} of {here.asked.rounds}, {each.label}")
            try:
                values = _measured(here, workload, each, loads[each.site.variant], seed=number)
            except BenchError as error:
                _fail(here, workload, each.product, each.site.variant, error)
                fit = [other for other in fit if other is not each]
                continue
            here.samples.add(Sample(workload.name, each.product.name, each.site.variant, values))


def _is_warm(here: Run, workload: Workload, each: Instance, loads: dict[Variant, Load]) -> bool:
    """Fill pools and caches; what is counted comes after."""
    try:
        measure.closed(each, _warm(loads[each.site.variant]))
    except BenchError as error:
        _fail(here, workload, each.product, each.site.variant, error)
        return False
    return True


def _measured(
    here: Run, workload: Workload, each: Instance, load: Load, seed: int
) -> dict[str, float]:
    if workload.kind is Kind.OPEN:
        return _open(here, each, load, seed)
    return measure.closed(each, load)


def _fail(
    here: Run, workload: Workload, product: Product, variant: Variant, error: BenchError
) -> None:
    say(f"FAILED {workload.name}: {error}")
    here.samples.fail(workload.name, product.name, variant, str(error))


def _open(here: Run, each: Instance, load: Load, seed: int) -> dict[str, float]:
    rates = here.samples.series("get", each.product.name, "requests_per_s", PLAIN)
    if not rates:
        values = measure.closed(each, load)
        here.samples.add(Sample("get", each.product.name, each.site.variant, values))
        rates = [values["requests_per_s"]]
    return measure.open_loop(each, load, measure.half_load(list(rates)), seed)


def _idle(here: Run, workload: Workload) -> None:
    """One measurement for each product, freshly started: a second would find the memory there."""
    for product in here.products(workload, PLAIN):
        with contextlib.ExitStack() as stack:
            each = _start(stack, here, workload, product, PLAIN)
            load = _load(here, workload, PLAIN)
            if each is None or not _is_warm(here, workload, each, {PLAIN: load}):
                continue
            say(f"{workload.name}: {each.label}")
            try:
                values = measure.idle(each, load)
            except BenchError as error:
                _fail(here, workload, product, PLAIN, error)
                continue
            here.samples.add(Sample(workload.name, product.name, PLAIN, values))


def _load(here: Run, workload: Workload, variant: Variant) -> Load:
    folder = here.folder / f"load-{workload.name}-{variant.routes}"
    script = measure.prepare(workload, variant.routes, folder)
    seconds = max(here.asked.seconds, workload.seconds)
    return Load(workload, script, here.origin, seconds, here.load_cores)


def _warm(load: Load) -> Load:
    gentle = Workload("warm-up", "", connections=min(load.workload.connections, 32))
    return Load(gentle, load.script, load.origin, 1, load.cores)


def _profile(here: Run, workload: Workload, ours: Instance) -> None:
    with profile.recording(ours.pids(), here.folder / "perf.data") as report:
        measure.closed(ours, _load(here, workload, ours.site.variant))
    say(report())
