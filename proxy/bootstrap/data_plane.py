"""A data plane worker's process."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import partial

from proxy.bootstrap.keys import Keys
from proxy.bootstrap.logs import log
from proxy.bootstrap.paths import StatePaths
from proxy.bootstrap.tracing import exporter
from proxy.compiled import is_compiled
from proxy.control.bus.local import LocalUplink
from proxy.observe.access_log import AccessLog
from proxy.serving import downstream
from proxy.serving.drain import Patience
from proxy.serving.listener import Listener
from proxy.serving.mirror import Mirror
from proxy.serving.plane import Plane
from proxy.serving.tls import CertificateStore
from proxy.serving.vitals import Pulse
from proxy.serving.worker import Worker
from proxy.settings import ServeSettings
from proxy.slices import ask_for_short_slices


async def serve_requests(
    settings: ServeSettings,
    paths: StatePaths,
    keys: Keys,
    index: int,
    own: Sequence[Listener],
    certificates: CertificateStore | None,
    pulse: Pulse,
    generation: int,
) -> None:
    """Serve what comes in on its `own` listeners, until it is drained or retired."""
    if not ask_for_short_slices():
        log.debug("the kernel does not let a data plane worker have short slices")
    access_log = None if settings.access_log == "off" else AccessLog(settings.access_log)
    mirror = Mirror(
        [paths.shadow(i) for i in range(settings.shadow_workers)]
        if settings.bus.is_local
        else [paths.captures]
    )
    # Not the loop's clock: uvloop's stands still within a turn and counts whole milliseconds.
    plane = Plane(
        index, settings.workers, keys.mint, mirror, access_log, time.monotonic, time.time,
        ready_path=settings.ready_path, override_key=keys.override,
    )  # fmt: skip
    worker = Worker(
        plane,
        mirror,
        access_log,
        own,
        paths.snapshot,
        patience(settings),
        paths.kill_file,
        pulse,
        certificates,
        paths.recording,
        exporter(settings, f"worker {index}", plane.note),
    )
    hello = {
        "role": "worker",
        "index": index,
        "pid": os.getpid(),
        "generation": generation,
        "compiled": is_compiled(downstream),
    }
    await worker.run(
        lambda on_message: LocalUplink(paths.bus, hello, on_message, partial(_tell_link, index))
    )


def patience(settings: ServeSettings) -> Patience:
    """How long an end may take."""
    return Patience(settings.grace_seconds, settings.drain_seconds, settings.retire_seconds)


def _tell_link(index: int, connected: bool) -> None:
    if connected:
        log.info("data plane worker %d: connected to the controller", index)
    else:
        log.warning("data plane worker %d: no controller; serving the last snapshot", index)
