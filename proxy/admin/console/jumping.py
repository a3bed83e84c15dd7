"""What the command palette offers: pages, things to do, and routes, by a few letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from proxy.admin.console.render import route_address

MOST = 15


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere to go: its name, what kind of thing it is, and the keys that lead there.

    `back` names a route that has to be rolled back for it, `forth` one that must not be.
    """

    name: str
    kind: str
    address: str
    keys: str = ""
    back: str = ""
    forth: str = ""


PAGES = (
    Place("Overview", "page", "/", "g o"),
    Place("Differences", "page", "/differences", "g f"),
    Place("Decisions", "page", "/decisions", "g d"),
    Place("Rollbacks", "page", "/decisions?kind=rollback", "g b"),
    Place("Rules", "page", "/rules", "g r"),
    Place("Pins", "page", "/pins", "g p"),
    Place("Explain a request", "action", "/explain", "g e"),
    Place("Hosts and health", "page", "/hosts", "g h"),
    Place("Recording", "page", "/recording"),
    Place("Replays", "page", "/replays"),
    Place("Audit", "page", "/audit"),
    Place("Kill switch", "action", "/kill-switch", "g k"),
)


def places(names: Sequence[str], words: str, is_back: Callable[[str], bool]) -> list[Place]:
    """Give at most so many, those first whose name begins with what was typed.

    `is_back` says of a route whether it is rolled back, and is asked of few.
    """
    typed = words.lower().split()
    found = [place for place in _all(names) if _fits(place.name.lower(), typed)]
    first = typed[0] if typed else ""
    found.sort(key=lambda place: not place.name.lower().startswith(first))
    return [place for place in found[: 3 * MOST] if _can(place, is_back)][:MOST]


def _all(names: Sequence[str]) -> Iterator[Place]:
    yield from PAGES
    for name in names:
        yield Place(name, "route", route_address(name))
    for name in names:
        control = f"{route_address(name)}#control-title"
        yield Place(f"Resume {name}", "action", control, back=name)
        yield Place(f"Change the weight of {name}", "action", control, forth=name)
        rollback = f"{route_address(name)}#rollback-title"
        yield Place(f"Roll back {name}", "action", rollback, forth=name)


def _can(place: Place, is_back: Callable[[str], bool]) -> bool:
    """Whether it can be done now: to resume needs a rollback, and all else that there is none."""
    if place.back:
        return is_back(place.back)
    return not (place.forth and is_back(place.forth))


def _fits(name: str, typed: list[str]) -> bool:
    return all(word in name for word in typed)
