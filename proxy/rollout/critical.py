"""T4, critical paths: a wrong amount is no percentage.

The first verified difference holds the route, the third from distinct identities takes it back.
"""

from __future__ import annotations

from typing import Any, Final

ENOUGH: Final = 3
"""Distinct identities with a verified critical difference that take a route back."""


class CriticalDifferences:
    """Who was answered differently where nothing may differ: the first three identities."""

    __slots__ = ("_identities", "n", "place")

    def __init__(self) -> None:
        self._identities: list[int] = []
        self.place = ""
        """The wildcard path of the first, without any value."""
        self.n = 0

    @property
    def customers(self) -> int:
        """How many distinct identities, three at most."""
        return len(self._identities)

    def add(self, identity: int, place: str) -> None:
        """Take one verified difference of this identity (a 64-bit hash)."""
        self.n += 1
        if not self._identities:
            self.place = place
        if identity not in self._identities and len(self._identities) < ENOUGH:
            self._identities.append(identity)

    def kept(self) -> dict[str, Any]:
        """Give the state as JSON-able values."""
        return {"identities": self._identities, "n": self.n, "place": self.place}

    def restore(self, plain: dict[str, Any]) -> None:
        """Go on from what `kept` gave; raises KeyError, TypeError or ValueError."""
        identities, n, place = plain["identities"], plain["n"], plain["place"]
        if (
            not all(type(each) is int for each in identities)
            or len(set(identities)) != len(identities)
            or type(n) is not int
            or not len(identities) <= min(n, ENOUGH)
            or not isinstance(place, str)
        ):
            raise ValueError("critical differences that contradict one another")
        self._identities, self.n, self.place = list(identities), n, place
