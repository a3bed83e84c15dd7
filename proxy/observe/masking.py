"""Paths without what could name a person, for samples that stay in the journal (pure)."""

from __future__ import annotations

import re
from typing import Final

from proxy.routing import pattern

MASKED: Final = "*"

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_.\-]{0,31}|v[0-9]{1,2}")
"""What a program calls its things; whatever has a digit, a sign or is longer may be somebody's."""


def masked_path(path: str, route: str) -> str:
    """Give a path as the pattern of its route has it, and of the rest plain words only.

    The query is left out. `request_id` leads whoever may see more to the access log.
    """
    parts = pattern.segments(route)
    given = path.partition("?")[0].removeprefix("/").split("/")
    return "/" + "/".join(
        _masked(segment, parts[place] if place < len(parts) else pattern.REST)
        for place, segment in enumerate(given)
    )


def _masked(segment: str, part: str) -> str:
    if pattern.is_parameter(part):
        return part
    is_plain = segment in (part, "") or _WORD.fullmatch(segment) is not None
    return segment if is_plain else MASKED
