"""Looking at many things a part at a time, so that no single look takes long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """Goes round and round: whoever is there throughout has a turn in every `most` looks.

    A look is at `part` of them as long as a round takes from `fewest` to `most` looks; when there
    are fewer or more of them, a look is at fewer or more.
    """

    def __init__(self, part: int, fewest: int, most: int) -> None:
        self._part: Final = part
        self._fewest: Final = fewest
        self._most: Final = most
        self._at = 0

    def next(self, everybody: Sequence[T]) -> Sequence[T]:
        """Give those whose turn it is; how many there are may change from look to look."""
        count = len(everybody)
        part = max(self._part, math.ceil(count / self._most))
        part = min(part, math.ceil(count / self._fewest))
        if part >= count:
            return everybody
        at = self._at if self._at < count else 0
        self._at = at + part
        return everybody[at : at + part]
