"""Read-back as written: which GET is compared on both sides after a write has been carried out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_NAME: Final = re.compile(r"\{([a-z_][a-z0-9_]*)\}")

WITHIN: Final = 10.0
AFTER: Final = 1.0
"""Seconds until both sides must agree, and until they are looked at first; unless it is said."""


@dataclass(frozen=True, slots=True)
class ReadBackRules:
    """What is read after a write of the route.

    `path` has path and query, with `{name}` for what comes from the write: from the segment of that
    name in its own path, or from where `ids` says that its answer has it. Times are seconds.
    """

    path: str
    ids: tuple[tuple[str, str], ...] = ()
    after: float = AFTER
    within: float = WITHIN

    @property
    def names(self) -> tuple[str, ...]:
        """What comes from the write."""
        return tuple(_NAME.findall(self.path))
