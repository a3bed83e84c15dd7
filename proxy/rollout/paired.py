"""T3, paired: evidence from mirrored requests, which both sides were asked.

Only discordant pairs are looked at: one side failed and the other did not. If both are equal each
is as often the one that failed; up to 0.6 is put down to the way of asking, as a shadow worker is
not a client. Works at weight 0 and at 100, where there is nothing to compare otherwise.
"""

from __future__ import annotations

from typing import Final

from proxy.rollout.mixture import Mixture

NULL: Final = 0.6
SHARES: Final = (0.7, 0.8, 0.99)

CALM: Final = 10.0

_MODERN: Final = tuple(share / NULL for share in SHARES)
_LEGACY: Final = tuple((1 - share) / (1 - NULL) for share in SHARES)


class PairedEvidence(Mixture):
    """`n` counts discordant pairs, `hits` those in which it was modern that failed."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__((0.0,) * len(SHARES), CALM)

    def add(self, *, modern_failed: bool) -> None:
        """Take one discordant pair."""
        self.take(_MODERN if modern_failed else _LEGACY, hit=modern_failed)
