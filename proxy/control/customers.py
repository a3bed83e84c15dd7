"""How many customers were answered differently where nothing may differ, without keeping who."""

from __future__ import annotations

import math
from collections import Counter
from typing import Final

from proxy.outcome import PairEvent
from proxy.rollout.identities import FirstPerIdentity

MINUTE: Final = 60.0
MOST: Final = 10_000
"""Customers remembered of one route; of more, some are taken for new ones."""


class Customers:
    """Counts into `counted`: `customers`, each once a minute, and `new_customers`, each once.

    The third customer takes a route back, so `simulate` must know how many there were, in a
    minute and in all; their hashes stay in memory. Times are monotonic seconds.
    """

    __slots__ = ("_counted", "_ever", "_lately", "place")

    def __init__(self, counted: Counter[str]) -> None:
        self._counted = counted
        self._lately = FirstPerIdentity(MINUTE, MOST)
        self._ever = FirstPerIdentity(math.inf, MOST)
        self.place = ""
        """Where it differed last: a path without any value."""

    def count(self, pair: PairEvent, now: float) -> None:
        """Take one verified difference in a critical path."""
        self.place = pair.place
        self._counted["customers"] += self._lately.admit(pair.identity, now)
        self._counted["new_customers"] += self._ever.admit(pair.identity, now)
