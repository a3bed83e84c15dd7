"""The tour's hands on the controls: the same HTTP API that everybody has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx

T = TypeVar("T")
Plain = dict[str, Any]


class TourError(Exception):
    """The tour cannot go on; the text says at which point and what to look at."""


class Admin:
    """The controller's API."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._client = httpx.AsyncClient(base_url=f"{base_url}/api/v1", timeout=10.0)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()

    async def get(self, path: str, **query: str | int) -> Plain:
        """Read something."""
        return _plain(await self._client.get(path, params=query))

    async def send(self, method: str, path: str, **body: Any) -> Plain:
        """Change something, in the tour's name."""
        return _plain(await self._client.request(method, path, json={"author": "demo", **body}))

    async def route(self, route_id: str) -> Plain:
        """One route now."""
        return await self.get(f"/routes/{route_id}")


def _plain(answer: httpx.Response) -> Plain:
    if answer.status_code >= 400:
        raise TourError(f"{answer.request.method} {answer.request.url.path}: {answer.text.strip()}")
    data: Plain = answer.json()
    return data


async def until(
    what: str, ask: Callable[[], Awaitable[T | None]], seconds: float = 60.0, every: float = 0.1
) -> tuple[T, float]:
    """Ask until there is an answer; gives it and how many seconds that took. Raises TourError."""
    began = time.monotonic()
    while True:
        found = await ask()
        waited = time.monotonic() - began
        if found is not None:
            return found, waited
        if waited > seconds:
            raise TourError(f"waited {seconds:.0f} s for {what}, in vain; see make status")
        await asyncio.sleep(every)
