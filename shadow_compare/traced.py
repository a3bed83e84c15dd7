"""Second requests of traced exchanges: each begins a trace of its own, linked with the first one.

It is nothing that the client waits for, so it is no part of the client's trace: whoever reads that
one must not take the time of a comparison for the time of an answer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shadow_compare.capture import Capture

FIELD: Final = "traceparent"

_CONTEXT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01")


@dataclass(frozen=True, slots=True)
class Trace:
    """The ids of one second request in hex; `link` is trace and span of what it repeats."""

    id: str
    span: str
    link: tuple[str, str]

    @property
    def context(self) -> str:
        """What the asked side is told (W3C Trace Context)."""
        return f"00-{self.id}-{self.span}-01"


@dataclass(frozen=True, slots=True)
class Asked:
    """One second request that has just ended, after `seconds`, on an instance of a side.

    `version` is that of the rules by which it was captured. `status` is 0 without an answer, and
    then `error` says why: `connect`, `reset` or `timeout`.
    """

    trace: Trace
    side: str
    route: str
    method: str
    target: str
    host: str
    port: int
    version: int
    seconds: float
    status: int
    error: str = ""


Tell = Callable[[Asked], None]
"""Hears of every second request that is traced; must neither wait nor fail."""


def trace_of(capture: Capture) -> Trace | None:
    """Begin the trace of a second request, if the first one was traced."""
    given = next((value for name, value in capture.provenance if name == FIELD), "")
    found = _CONTEXT.fullmatch(given)
    if found is None:
        return None
    ids = os.urandom(24).hex()
    return Trace(ids[:32], ids[32:], (found[1], found[2]))
