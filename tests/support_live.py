"""The whole stack for a browser: two applications, the real proxy, and people who keep asking.

Stories of the browser are written without a loop, so this one runs in a thread of its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any, TypeVar

from proxy.admin.accounts import new_account
from proxy.admin.principal import Role
from tests.support_app import App, running_app
from tests.support_load import Load, under_load
from tests.support_proxy import Proxy, bucket, proxy_folder, rules_between

T = TypeVar("T")

PATIENCE = 60.0
PEOPLE = 60
RATE = 120
"""Requests a second: enough for the detectors, and little for who else uses the processors."""

WINDOW = 10
"""Seconds over which shares are observed, so that a story need not wait a minute for them."""

ACCOUNTS = {
    "ada": Role.OPERATOR,
    "grace": Role.OPERATOR,
    "vera": Role.VIEWER,
    "root": Role.ADMIN,
}


class LiveStack:
    """One stack; what is set is set for all stories, so each begins by saying what it needs."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._held = AsyncExitStack()
        self.tokens: dict[str, str] = {}
        self.legacy: App
        self.modern: App
        self.proxy: Proxy
        self.load: Load

    @property
    def base(self) -> str:
        """Where the console is."""
        return self.proxy.admin_url

    @property
    def share_of(self) -> dict[int, float]:
        """Which share of the people is on modern at each whole percentage."""
        buckets = [bucket(person) for person in self.load.people]
        return {n: sum(b < n * 100 for b in buckets) / len(buckets) for n in range(101)}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Have something done on the stack's loop, and give what came of it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def api(self, method: str, path: str, **said: Any) -> dict[str, Any]:
        """Ask the API as an administrator does."""
        return self.run(self._api(method, path, said))

    async def _api(self, method: str, path: str, said: dict[str, Any]) -> dict[str, Any]:
        if method == "GET":
            return await self.proxy.get(path)
        return await self.proxy.send(method, path, **said)

    def answers(self, count: int) -> list[str]:
        """Give the sides of the next answers, those under way left out."""

        async def next_ones() -> list[str]:
            await self.load.reached(PEOPLE)
            seen = len(self.load.answers)
            await self.load.reached(count)
            return [answer.side for answer in self.load.answers[seen:]]

        return self.run(next_ones())

    def at(self, weight: str) -> None:
        """Bring the route `orders` to a weight, whatever the story before has left behind."""

        async def bring() -> None:
            self.modern.failing = 0.0
            await self.proxy.send("PUT", "/kill-switch", on=False)
            route = await self.proxy.route()
            if route["rolled_back"]:
                await self.proxy.send("POST", "/routes/orders/resume", force=True, weight=weight)
            await self.proxy.set_weight(weight)

        self.run(bring())

    def start(self, folder: Any) -> None:
        """Start everything."""
        self._thread.start()
        self.run(self._start(folder))

    async def _start(self, folder: Any) -> None:
        accounts = folder / "accounts"
        lines = []
        for name, role in ACCOUNTS.items():
            account, self.tokens[name] = new_account(name, role)
            lines.append(str(account))
        accounts.write_text("\n".join(lines) + "\n")
        accounts.chmod(0o600)
        self.legacy = await self._held.enter_async_context(running_app("legacy"))
        self.modern = await self._held.enter_async_context(running_app("modern"))
        rules = rules_between(self.legacy.port, self.modern.port, "20%", mirror="10%")
        rules = rules.replace("window: 60s", f"window: {WINDOW}s")
        self.proxy = Proxy(folder, rules, "--auth", str(accounts))
        self.proxy.token = self.tokens["root"]
        self._held.callback(self.proxy.end)
        await self.proxy.start()
        self.load = Load(self.proxy.port, PEOPLE, rate=RATE)
        await self._held.enter_async_context(under_load(self.load))
        await self.load.reached(PEOPLE)

    def end(self) -> None:
        """End everything."""
        self.run(self._held.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()


@contextmanager
def live_stack() -> Iterator[LiveStack]:
    """Give a stack that runs."""
    stack = LiveStack()
    with proxy_folder() as folder:
        try:
            stack.start(folder)
            yield stack
        finally:
            stack.end()
