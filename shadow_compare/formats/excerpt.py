"""A few words out of a long body, to be shown to people."""

from __future__ import annotations

import hashlib
from typing import Final

EXCERPT: Final = 120
"""Bytes that are shown of a body."""


def beginning(body: bytes) -> str:
    """Give how a body begins."""
    return body[:EXCERPT].decode("utf-8", "replace")


def around_first_change(before: bytes, after: bytes) -> tuple[str, str]:
    """Give what stands around the first byte that differs, on both sides."""
    start = max(0, _shared_prefix(before, after) - EXCERPT // 4)
    return beginning(before[start : start + EXCERPT]), beginning(after[start : start + EXCERPT])


def _shared_prefix(one: bytes, other: bytes) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:  # by halves, as slices compare at the speed of memory
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def digest(body: bytes) -> str:
    """Name a body of which nothing can be shown."""
    return f"{len(body)} bytes, sha256 {hashlib.sha256(body).hexdigest()[:16]}"
