"""Which processes a role has, each with what it gets from the supervisor."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from proxy.bootstrap.controller import control
from proxy.bootstrap.data_plane import serve_requests
from proxy.bootstrap.forwarder import forward, place_of
from proxy.bootstrap.keys import Keys
from proxy.bootstrap.logs import log
from proxy.bootstrap.paths import StatePaths
from proxy.bootstrap.process import Process, run
from proxy.bootstrap.shadow import compare
from proxy.bootstrap.sockets import admin_sockets, worker_listeners
from proxy.serving.child import Child
from proxy.serving.estate import Estate
from proxy.serving.inheritance import Inheritance
from proxy.serving.listener import Listener
from proxy.serving.tls import CertificateStore
from proxy.serving.vitals import pulses
from proxy.serving.watchdog import Watchdog
from proxy.settings import ServeSettings


def children(
    settings: ServeSettings, paths: StatePaths, estate: Estate, inherited: Inheritance | None
) -> list[Child]:
    """Give the processes of a role, none of them started; raises SettingsError."""
    if not settings.bus.is_local:
        place = place_of(settings.bus)
        log.info("captures go over %s, in %s", settings.bus, place.key)
    keys = Keys.of(settings, paths)
    certificates = _certificates(settings)
    processes = _processes(settings)
    roles = {process.role for process in processes}
    admin: list[socket.socket] = []
    dealt_out: list[list[Listener]] = []
    if "controller" in roles:
        admin = admin_sockets(settings, estate, inherited)
    if "worker" in roles:
        dealt_out = worker_listeners(settings, estate, inherited)
    family: list[Child] = []
    for process in processes:
        role, index, pulse = process.role, process.index, process.pulse
        if role == "controller":
            life = partial(run, _control(settings), settings, paths, keys, admin[0], processes)
            child = Child("controller", life, sockets=tuple(admin), pulse=pulse)
        elif role == "shadow":
            life = partial(run, compare, settings, paths, keys, index, pulse)
            child = Child(f"shadow worker {index}", life, pulse=pulse)
        elif role == "forwarder":
            life = partial(run, forward, settings, paths, index, pulse)
            child = Child("capture forwarder", life, pulse=pulse)
        else:
            own = dealt_out[index]
            life = partial(
                run, serve_requests, settings, paths, keys, index, own, certificates, pulse,
                estate.generation,
            )  # fmt: skip
            watchdog = Watchdog(settings.hang_seconds)
            sockets = tuple(each.sock for each in own)
            child = Child(f"data plane worker {index}", life, True, sockets, pulse, watchdog)
        family.append(child)
    return family


def _control(settings: ServeSettings) -> Callable[..., Coroutine[Any, Any, None]]:
    """Give the life of a controller; who is alone needs no client of Redis."""
    if not settings.many_hosts:
        return control
    from proxy.bootstrap.hosts import control_among_hosts

    return control_among_hosts


def _processes(settings: ServeSettings) -> list[Process]:
    """Name what a role runs, in the order in which it is started."""
    role, local = settings.role, settings.bus.is_local
    roles = ["controller"] if role in ("all", "controller") else []
    roles += ["shadow"] * settings.shadow_workers if role in ("all", "shadow") else []
    roles += ["forwarder"] if role in ("all", "data-plane") and not local else []
    roles += ["worker"] * settings.workers if role in ("all", "data-plane") else []
    return [
        Process(name, roles[:place].count(name), pulse)
        for place, (name, pulse) in enumerate(zip(roles, pulses(len(roles)), strict=True))
    ]


def _certificates(settings: ServeSettings) -> CertificateStore | None:
    """Read the certificates, before the workers are forked; raises SettingsError."""
    if not settings.tls_certificate:
        return None
    store = CertificateStore(settings.tls_certificate, settings.tls_key)
    store.warn_of_expiry(time.time())
    return store
