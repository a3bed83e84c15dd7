"""The admin application over real HTTP, with a controller and a report in memory."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from proxy.admin.app import create_admin_app
from proxy.settings import AdminSettings, Origin
from tests.support import eventually
from tests.support_console import FakeController, FakeReport


class PromptServer(uvicorn.Server):
    """Ends within 10 ms instead of 100: there is one for each test."""

    async def main_loop(self) -> None:
        """Serve until it should end."""
        while not await self.on_tick(0):  # noqa: ASYNC110 - signals and threads set an attribute
            await asyncio.sleep(0.01)


async def _no_metrics() -> bytes:
    return b""


@contextmanager
def serving(
    controller: FakeController,
    report: FakeReport,
    accounts: Path | None = None,
    origins: tuple[Origin, ...] = (),
) -> Iterator[str]:
    """Serve the console on a free port of the loopback interface and give its base address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address: tuple[str, int] = listener.getsockname()[:2]
        app = create_admin_app(
            controller,
            report,
            AdminSettings(address, accounts=accounts, origins=origins),
            _no_metrics,
        )
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, ws="none")
        server = PromptServer(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            eventually(lambda: server.started, what="the console is serving")
            yield f"http://127.0.0.1:{address[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
