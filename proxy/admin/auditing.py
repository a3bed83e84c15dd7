"""Verifying the journal when somebody asks, one at a time, and remembering what was found."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from proxy.control.audit import Verdict

Audit = Callable[[], Awaitable[Verdict]]
"""Verifies the journal; raises RefusedError when that is not possible."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found, and when."""

    at: float
    verdict: Verdict


class Auditing:
    """Asks for a verification; `last` is what the last one found since this process was started."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._one = asyncio.Lock()
        self.last: Verified | None = None

    async def verify(self) -> Verdict:
        """Read all there is; raises RefusedError."""
        async with self._one:
            verdict = await self._audit()
            self.last = Verified(time.time(), verdict)
            return verdict
