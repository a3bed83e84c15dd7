"""Which instance gets the next request: the less loaded of two drawn by lot, newcomers gently.

Two draws are enough to keep the longest queue short (Mitzenmacher, "The power of two choices in
randomized load balancing", 2001), and unlike "the least loaded of all" they do not send every
worker to the same instance at the same moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

WARMTH_LEAST: Final = 0.1
"""How much of its share a newcomer gets at first; with nothing it would never grow warm."""


class Candidate(Protocol):
    """What the choice looks at: requests in flight, and since when the instance takes part."""

    since: float

    @property
    def load(self) -> int:
        """How many requests are in flight."""
        ...


C = TypeVar("C", bound=Candidate)


def warmth(since: float, now: float, slow_start: float) -> float:
    """Give how much of its share an instance takes, growing to 1 within `slow_start` seconds."""
    age = now - since
    if age >= slow_start:
        return 1.0
    return max(WARMTH_LEAST, age / slow_start)


def pick(candidates: Sequence[C], chance: float, now: float, slow_start: float) -> C:
    """Choose one of at least one candidates; `chance` is drawn evenly from [0, 1).

    The one number decides three things: which two are drawn, in which order (the first wins when
    both are equally loaded), and whether one that is still warming up takes part.
    """
    count = len(candidates)
    if count == 1:
        return candidates[0]
    place = chance * count * (count - 1)
    pair = int(place)
    first, second = pair // (count - 1), pair % (count - 1)
    one = candidates[first]
    other = candidates[second + (second >= first)]
    if slow_start > 0.0:
        rest = place - pair
        warm, other_warm = (warmth(each.since, now, slow_start) for each in (one, other))
        if rest >= min(warm, other_warm):
            return one if warm >= other_warm else other
    return other if other.load < one.load else one
