"""Which routes the overview shows: filtered by words, by what needs attention, by the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from proxy.admin.console.attention import Level
from proxy.admin.console.looking import number
from proxy.control.status import RouteStatus

PAGE = 50
WORDS_MAX = 100

Judged = tuple[RouteStatus, Level]

SHOWN = {
    "": ("All", tuple(Level)),
    "act": ("Needs you", (Level.ACT,)),
    "look": ("Wants a look", (Level.LOOK,)),
    "fine": ("Fine", (Level.FINE,)),
    "idle": ("No traffic", (Level.IDLE,)),
}


@dataclass(frozen=True, slots=True)
class Browsing:
    """What an address asks for. What says nothing counts as not given."""

    words: str
    show: str
    page: int

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Browsing:
        """Read a query."""
        show = query.get("show", "")
        return cls(
            " ".join(query.get("q", "")[:WORDS_MAX].split()),
            show if show in SHOWN else "",
            max(1, number(query.get("page")) or 1),
        )

    def address(self, **changes: Any) -> str:
        """The address of the same with changes; any change but of the page leads to the first."""
        given = {"q": self.words, "show": self.show, "page": changes.get("page", 1), **changes}
        if given["page"] == 1:
            del given["page"]
        query = urlencode({name: value for name, value in given.items() if value})
        return f"/?{query}" if query else "/"


@dataclass(frozen=True, slots=True)
class Browsed:
    """The routes of one page, and how many there are; `counts` by what is shown."""

    rows: tuple[Judged, ...]
    found: int
    page: int
    pages: int
    counts: Mapping[str, int]


def browse(judged: Sequence[Judged], wanted: Browsing) -> Browsed:
    """Choose routes, in the order they come in; a page too far is the last."""
    words = wanted.words.lower().split()
    matching = [pair for pair in judged if not words or _has(pair[0], words)]
    counts = {
        name: sum(level in levels for _, level in matching) for name, (_, levels) in SHOWN.items()
    }
    _, levels = SHOWN[wanted.show]
    found = [pair for pair in matching if pair[1] in levels]
    pages = max(1, -(-len(found) // PAGE))
    page = min(wanted.page, pages)
    return Browsed(tuple(found[(page - 1) * PAGE : page * PAGE]), len(found), page, pages, counts)


def _has(route: RouteStatus, words: Sequence[str]) -> bool:
    """Whether all words are in its id, its path, its methods or its phase."""
    text = f"{route.id} {route.path} {' '.join(route.methods)} {route.phase}".lower()
    return all(word in text for word in words)
