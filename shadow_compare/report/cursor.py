"""Where in the list of groups a page ends, so that the next goes on there (pure).

A place in the list is named by what it is sorted by, not by a number: groups that come up or are
decided meanwhile neither hide one nor show one twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_WRITTEN = re.compile(r"([01])\.(\d{1,18})\.([0-9A-Za-z_-]{1,64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last group that was seen: critical ones come first, then the most frequent."""

    critical: bool
    count: int
    id: str

    def __str__(self) -> str:
        return f"{self.critical:d}.{self.count}.{self.id}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read what `str` wrote; None when it is something else."""
        found = _WRITTEN.fullmatch(text)
        return found and cls(found[1] == "1", int(found[2]), found[3])
