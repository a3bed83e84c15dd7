"""What the command palette offers: pages, things to do, and routes, by a few letters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from proxy.admin.console.render import route_address
from proxy.control.status import Status

MOST = 12


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere to go: its name, what kind of thing it is, and the keys that lead there."""

    name: str
    kind: str
    address: str
    keys: str = ""


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
    Place("Kill switch", "action", "/kill-switch", "g k"),
)


def places(status: Status, words: str) -> list[Place]:
    """Give at most so many, those first whose name begins with what was typed."""
    typed = words.lower().split()
    found = [place for place in _all(status) if _fits(place.name.lower(), typed)]
    first = typed[0] if typed else ""
    return sorted(found, key=lambda place: not place.name.lower().startswith(first))[:MOST]


def _all(status: Status) -> Iterable[Place]:
    yield from PAGES
    for route in status.routes:
        yield Place(route.id, "route", route_address(route.id))
    for route in status.routes:
        address = route_address(route.id)
        if route.rolled_back is not None:
            yield Place(f"Resume {route.id}", "action", f"{address}#control-title")
            continue
        yield Place(f"Change the weight of {route.id}", "action", f"{address}#control-title")
        yield Place(f"Roll back {route.id}", "action", f"{address}#rollback-title")


def _fits(name: str, typed: list[str]) -> bool:
    return all(word in name for word in typed)
