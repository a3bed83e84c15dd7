"""Looking at many things a part at a time, so that no single look takes long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """Goes round and round: whoever is there throughout has a turn in every `looks` looks.

    A look is at `least` of them, or at all when there are not more.
    """

    def __init__(self, least: int, looks: int) -> None:
        self._least: Final = least
        self._looks: Final = looks
        self._at = 0

    def next(self, everybody: Sequence[T]) -> Sequence[T]:
        """Give those whose turn it is; how many there are may change from look to look."""
        count = len(everybody)
        part = max(self._least, math.ceil(count / self._looks))
        if part >= count:
            return everybody
        at = self._at if self._at < count else 0
        self._at = at + part
        return everybody[at : at + part]
