"""Modern's share of the requests at this moment, which the relative detector rests on."""

from __future__ import annotations

from typing import Final

HALF: Final = 5000.0
"""Requests after which everything counted is halved: what was decided lately counts most."""

PRIOR: Final = 50.0
"""Requests that the weight in the rules counts for, until as many have been seen."""


class Share:
    """Requests decided for either side since the weight was changed, fading."""

    __slots__ = ("_legacy", "_modern")

    def __init__(self) -> None:
        self._modern = self._legacy = 0.0

    def add(self, *, modern: int = 0, legacy: int = 0) -> None:
        """Count decisions."""
        self._modern += modern
        self._legacy += legacy
        if self._modern + self._legacy > HALF:
            self._modern /= 2
            self._legacy /= 2

    def of(self, weight: float) -> float:
        """Give modern's share; `weight` is the one in force, as a fraction.

        Buckets part identities, not requests, and identities differ in how much they ask for. When
        everything fails each identity counts once, and the weight is the share; when little does,
        it is what was seen. The larger of both proves less, so that is taken.
        """
        seen = (self._modern + PRIOR * weight) / (self._modern + self._legacy + PRIOR)
        return max(weight, seen)
