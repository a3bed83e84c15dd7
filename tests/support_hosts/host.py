"""`cutover serve` in a place of its own, and what can happen to it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Callable, Coroutine
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.stack.process import group_members
from tests.support_hosts.lan import Place
from tests.support_hosts.leftovers import tied_to_us
from tests.support_proxy import PATIENCE, TLS, Plain, Proxy, RefusedError

HURRY: Final = 5.0
"""Seconds after which an operator gives up to wait for an answer."""


class Host(Proxy):
    """One proxy host. Its operator and its clients are on it, whatever the network does."""

    def __init__(self, name: str, place: Place, folder: Path, rules: str, *options: str) -> None:
        folder.mkdir()
        super().__init__(folder, rules, "--shadow-workers", "0", *options)
        self.name = name
        self.place = place
        self.enter = (*tied_to_us(), *place.enter)
        self.up = False
        self.workers: frozenset[int] = frozenset()

    def launch(self) -> None:
        """Start it without waiting; whatever was left of it is ended."""
        self.end()
        super().launch()
        self.up = True

    def crash(self) -> None:
        """Have every process of it killed at the same time."""
        self.end()
        self.up = False

    def pause(self, role: str) -> None:
        """Have a process stand still; all of them for the role `all`."""
        self._signal(role, signal.SIGSTOP)

    def wake(self, role: str) -> None:
        """Let it go on."""
        self._signal(role, signal.SIGCONT)

    def kill(self, role: str) -> None:
        """Kill a process of it by SIGKILL."""
        self._signal(role, signal.SIGKILL)

    def kill_one_worker(self) -> None:
        """Kill the data plane worker that is the oldest."""
        for pid in sorted(self.processes("worker"))[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def processes(self, role: str) -> list[int]:
        """Give the living processes of a role, in no order: controller, worker, or all."""
        family = group_members(self.pid)
        if role == "all":
            return family
        if role == "worker":
            return [pid for pid in family if pid in self.workers]
        with contextlib.suppress(OSError, ValueError):
            holder = int((self.state / "bus.lock").read_text())
            return [holder] if holder in family else []
        return []

    def began_to_act(self, token: int) -> float | None:
        """Give when it began to act under a token, as it has logged it itself, or None."""
        for line in self.log.read_text().splitlines():
            if line.startswith("{") and f"acts from now on, under token {token}" in line:
                return datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp()
        return None

    async def knock(
        self, method: str, path: str, body: bytes
    ) -> Callable[[], Coroutine[None, None, int]]:
        """Send something to the admin port that somebody may read later.

        Gives a way to wait for the status of the answer.
        """

        def send() -> HTTPConnection:
            connection = HTTPConnection("127.0.0.1", self.admin_port, timeout=PATIENCE)
            connection.request(method, path, body, {"Content-Type": "application/json"})
            return connection

        connection = await self.place.doing(send)

        async def answered() -> int:
            with contextlib.closing(connection):
                return (await self.place.doing(connection.getresponse)).status

        return answered

    async def text(self, path: str) -> str:
        """Read a page of the admin port."""
        return (await self._answer("GET", path)).text

    async def _call(self, method: str, path: str, **options: Any) -> Plain:
        answer = await self._answer(method, path, **options)
        if answer.status_code >= 400:
            raise RefusedError(answer.text)
        data: Plain = answer.json()
        return data

    async def _answer(self, method: str, path: str, **options: Any) -> httpx.Response:
        def ask() -> httpx.Response:
            with httpx.Client(trust_env=False, verify=TLS, timeout=HURRY) as client:
                return client.request(method, f"{self.admin_url}{path}", **options)

        try:
            return await self.place.doing(ask)
        except httpx.TransportError as error:
            raise ConnectionError(str(error)) from error

    def _signal(self, role: str, number: signal.Signals) -> None:
        for pid in self.processes(role):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
