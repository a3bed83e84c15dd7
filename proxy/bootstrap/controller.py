"""The controller's process, with the console and the API beside it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import uvicorn

from proxy.bootstrap.keys import Keys
from proxy.bootstrap.office import Office, local_publisher
from proxy.bootstrap.paths import StatePaths
from proxy.bootstrap.process import Process, until_stopped
from proxy.clock import SystemClock
from proxy.control.anchor import Anchor
from proxy.control.loader import RulesFile
from proxy.control.store.sql import SqlStore
from proxy.garbage import settle
from proxy.settings import ServeSettings


async def control(
    settings: ServeSettings,
    paths: StatePaths,
    keys: Keys,
    admin: socket.socket,
    processes: Sequence[Process],
) -> None:
    """Decide, publish and show until a signal; `processes` are all of this family."""
    clock = SystemClock()
    publisher = local_publisher(paths)
    store = SqlStore(paths.database_url(settings), Anchor(paths.journal_head))
    rules_file = RulesFile(settings.rules, clock)
    office = Office(settings, paths, keys, processes, rules_file, store, publisher, clock)
    controller = office.controller
    await office.open()
    server = admin_server(office.app())
    console = asyncio.create_task(server.serve(sockets=[admin]))
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, controller.read_rules)
    next(process.pulse for process in processes if process.role == "controller").is_ready()
    settle()
    try:
        await until_stopped(controller.run())
    finally:
        await controller.close()  # first: who follows `changed` must hear the end
        server.should_exit = True
        await asyncio.gather(office.close(), console, return_exceptions=True)


class _AdminServer(uvicorn.Server):
    """Leaves the signals of the process to the controller, whose process it is."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def admin_server(app: Any) -> uvicorn.Server:
    """Give the server of the console and the API."""
    return _AdminServer(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="on",
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )
