"""Sequential evidence that modern fails more often than is tolerated, valid whenever looked at.

The Shiryaev-Roberts e-detector. Under the tolerated rate p0 each factor L_k has mean 1, so
`mean_k R_k - n` is a martingale: the mean number of events to a false alarm at `mean_k R_k >= G`
is at least G, however often one looks. (Shin, Ramdas, Rinaldo: E-detectors, 2023.)
"""

from __future__ import annotations

from typing import Final

TOLERATED_LEAST: Final = 0.005
"""p0 is never below this: nobody's upstream is better, and a smaller one would alarm on noise."""

HOLD_AT: Final = 1e6
ROLLBACK_AT: Final = 1e9
"""Mean events between two false alarms of one detector."""

AT_REST: Final = 1e-9
"""How near, in proportion, the evidence is to where good events alone bring it, to stay there."""

EVIDENCE_MAX: Final = 1e15
"""Evidence does not grow beyond this: far above any limit, and good events still wash it down."""

IDENTITY_SECONDS: Final = 10.0
IDENTITIES_MAX: Final = 100_000


class AbsoluteEvidence:
    """T1: a mixture over alternatives p_k in {3 p0, 10 p0, 0.5, 0.95} that lie between p0 and 1."""

    __slots__ = (
        "_at_rest", "_bad", "_calm", "_calm_at", "_good", "_r", "_rest", "events", "tolerated",
    )  # fmt: skip

    def __init__(self, tolerated: float) -> None:
        self.tolerated: Final = min(max(tolerated, TOLERATED_LEAST), 0.9)
        p0 = self.tolerated
        alternatives = sorted({p for p in (3 * p0, 10 * p0, 0.5, 0.95) if p0 < p < 1.0})
        self._bad = [p / p0 for p in alternatives]
        self._good = [(1 - p) / (1 - p0) for p in alternatives]
        self._r = [0.0] * len(alternatives)
        # Good events alone bring R_k to L / (1 - L); up to twice that, nothing is going on.
        self._rest = [f / (1 - f) for f in self._good]
        self._calm = 2 * sum(self._rest) / len(alternatives)
        self._calm_at = 0
        self._at_rest = False
        self.events = 0

    @property
    def value(self) -> float:
        """The evidence: in the absence of a regression it reaches G once in G events on average."""
        return sum(self._r) / len(self._r)

    @property
    def run(self) -> int:
        """Events since the evidence began to grow: those that it rests on."""
        return self.events - self._calm_at

    def add(self, good: int, bad: int) -> None:
        """Take so many good events, and after them so many bad ones.

        A worker sends its counts up as soon as something fails, so the good ones did come first.
        """
        self.events += good
        if good and not self._at_rest:
            self._wash_down(good)
        if self._at_rest or self.value <= self._calm:
            self._calm_at = self.events
        self.events += bad
        for _ in range(bad):
            self._at_rest = False
            for k, factor in enumerate(self._bad):
                self._r[k] = min((1 + self._r[k]) * factor, EVIDENCE_MAX)

    def _wash_down(self, good: int) -> None:
        """R <- (1 + R) L, so many times: a geometric series, because L < 1 stays the same."""
        for k, (factor, rest) in enumerate(zip(self._good, self._rest, strict=True)):
            power = factor**good
            self._r[k] = power * self._r[k] + rest * (1 - power)
        # Most routes are there for ever, and their controller need not reckon any further.
        self._at_rest = all(
            abs(r - rest) <= AT_REST * rest for r, rest in zip(self._r, self._rest, strict=True)
        )


class FirstPerIdentity:
    """Lets through the first bad event of an identity in 10 s: a customer in a loop is one event.

    Overdispersion, not looking often, is what makes false rollbacks. Identities are hashes, times
    are monotonic seconds.
    """

    def __init__(self) -> None:
        self._counted: dict[int, float] = {}

    def admit(self, identity: int, now: float) -> bool:
        """Whether this event is to be counted; remembers it when it is."""
        last = self._counted.get(identity)
        if last is not None and now - last < IDENTITY_SECONDS:
            return False
        if len(self._counted) >= IDENTITIES_MAX:
            self._forget(now)
        self._counted.pop(identity, None)
        self._counted[identity] = now
        return True

    def _forget(self, now: float) -> None:
        """Drop who may come again; if that frees nothing, drop the oldest half."""
        fresh = {i: at for i, at in self._counted.items() if now - at < IDENTITY_SECONDS}
        if len(fresh) >= IDENTITIES_MAX:
            fresh = dict(list(fresh.items())[len(fresh) // 2 :])
        self._counted = fresh
