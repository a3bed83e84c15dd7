"""What two lines that stand side by side have in common, and what not (pure)."""

from __future__ import annotations

import re
from typing import NamedTuple

_WORD_END = re.compile(r"[\w.]*\Z")
_WORD_START = re.compile(r"\A[\w.]*")


class Parts(NamedTuple):
    """A line in three: what it shares with the other line before and after, and its own between."""

    before: str
    own: str
    after: str


def apart(left: str, right: str) -> tuple[Parts, Parts]:
    """Split two lines at whole words: 29.00 and 29.50 differ as numbers, not in a digit."""
    before = _WORD_END.sub("", left[: _shared(left, right)])
    a, b = left[len(before) :], right[len(before) :]
    after = _WORD_START.sub("", a[len(a) - _shared(a[::-1], b[::-1]) :])
    end = len(after)
    return (
        Parts(before, a[: len(a) - end], after),
        Parts(before, b[: len(b) - end], after),
    )


def _shared(left: str, right: str) -> int:
    """Count the characters that both begin with."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(left), len(right)))
