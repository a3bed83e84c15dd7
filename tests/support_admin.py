"""The admin application over real HTTP, for tests of the API and of the command line."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from proxy.admin.app import create_admin_app
from proxy.control.audit import Verdict
from proxy.control.chain import Fault, Link
from proxy.settings import AdminSettings
from tests.support_console import FakeController, FakeReport
from tests.support_console_server import PromptServer

TOKEN = "correct-horse-battery-staple"
DEADLINE = 10.0


@dataclass(frozen=True)
class RunningAdmin:
    """A running admin application and the fakes behind it."""

    url: str
    port: int
    controller: FakeController
    report: FakeReport


async def broken() -> Verdict:
    """Find the third entry of a journal changed."""
    return Verdict(Link(5, "a" * 64), 5, 2, (Fault(3, "decision 3 was deleted"),), True)


async def _metrics() -> bytes:
    return b"cutover_rules_version 18\n"


@contextlib.contextmanager
def running_admin(token: str | None = None, accounts: Path | None = None) -> Iterator[RunningAdmin]:
    """Serve the admin application on a free port until the block is left."""
    controller, report = FakeController(), FakeReport()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        settings = AdminSettings(("127.0.0.1", port), token, accounts)
        app = create_admin_app(controller, report, settings, _metrics, audit=broken)
        server = PromptServer(
            uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield RunningAdmin(f"http://127.0.0.1:{port}", port, controller, report)
        finally:
            server.should_exit = True
            thread.join(DEADLINE)


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll until the condition holds; fail after a generous deadline."""
    ends = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < ends, "the condition never came true"
        time.sleep(0.01)
