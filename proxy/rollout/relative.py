"""T2, relative: evidence that modern fails more often than legacy does at the same time.

Only bad events are looked at. If modern's risk is r times legacy's and a share w of the requests is
modern's, a bad event comes from modern with probability q(r, w) = r w / (r w + 1 - w), whatever
makes both of them fail. So a common cause, as a database that both use, proves nothing.
"""

from __future__ import annotations

from typing import Final

from proxy.rollout.mixture import Mixture

R0: Final = 1.5
RATIOS: Final = (3.0, 10.0, 50.0)
"""Up to 1.5 times as risky is no regression; these are the regressions that are looked for."""

CALM: Final = 10.0
"""Evidence below this is what chance brings about every day."""

SHARE_LEAST: Final = 1e-4
SHARE_MOST: Final = 1.0 - 1e-4
"""Below the first a share is taken for the first, which proves less; above the second there is as
good as nobody left on legacy to compare with."""


class RelativeEvidence(Mixture):
    """`n` counts bad events of both sides, `hits` those of modern."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__((0.0,) * len(RATIOS), CALM)

    def add(self, *, by_modern: bool, share: float) -> None:
        """Take one bad event; `share` is modern's part of the requests at that moment.

        With one side alone there is nothing to compare, and the event says nothing.
        """
        if not 0.0 < share <= SHARE_MOST:
            return
        w = max(share, SHARE_LEAST)
        null = chance_of_modern(R0, w)
        chances = (chance_of_modern(r, w) for r in RATIOS)
        if by_modern:
            self.take([q / null for q in chances], hit=True)
        else:
            self.take([(1 - q) / (1 - null) for q in chances], hit=False)


def chance_of_modern(ratio: float, share: float) -> float:
    """Probability that a bad event is modern's: r w / (r w + 1 - w)."""
    return ratio * share / (ratio * share + 1.0 - share)
