"""The evidence detectors of one route together: what comes in is shared out, what is found, told.

Each holds a handful of numbers and is valid however often it is looked at, so all of them see
every event as it arrives. What is quiet costs nothing: until a bad event comes, nothing is worked
out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from proxy.outcome import BadEvent, OutcomeKind, PairEvent, PairKind, Tally
from proxy.rollout.bound import score_bound
from proxy.rollout.breach import Breach, Verdict
from proxy.rollout.critical import ENOUGH, CriticalDifferences
from proxy.rollout.evidence import TOLERATED_LEAST, AbsoluteEvidence
from proxy.rollout.identities import FirstPerIdentity
from proxy.rollout.jump import JumpEvidence
from proxy.rollout.mixture import HOLD_AT, ROLLBACK_AT, Mixture
from proxy.rollout.paired import PairedEvidence
from proxy.rollout.relative import RelativeEvidence
from proxy.rollout.share import Share
from proxy.routing.rules import RollbackRules
from proxy.routing.side import MODERN

SLOW_TOLERATED: Final = 0.06
"""T5's p0: a p95 is passed by 5% of the requests, and a little more is chance."""

SICK_AT: Final = 1e3
"""Evidence against legacy, by the same detector, from which on both sides may share one cause."""

FORM: Final = 1
"""Changes with what is kept, so that another version begins anew rather than go on wrongly."""

_BAD, _SLOW, _DENIED = 0, 1, 2
_PAIRS = {kind: 6 + number for number, kind in enumerate(PairKind)}
"""Places of what counts once for each identity: twice three for the sides, then pairs."""


class Detectors:
    """T1 to T5, critical differences and denied sessions of one route. Times are monotonic seconds.

    `armed` is false while nothing has happened that any of them would have to reckon with.
    `counted` is told of every event that counts, by name: sums for whoever keeps books.
    """

    def __init__(self, rules: RollbackRules, counted: Counter[str] | None = None) -> None:
        self._rules = rules
        self.counted: Counter[str] = Counter() if counted is None else counted
        self._firsts = FirstPerIdentity()
        self._share = Share()
        self._answered = 0
        self.armed = False
        self.errors = AbsoluteEvidence(rules.error_rate)
        self.slow = AbsoluteEvidence(SLOW_TOLERATED)
        self.mismatches = AbsoluteEvidence(rules.mismatch_rate)
        self.relative = RelativeEvidence()
        self.relative_slow = RelativeEvidence()
        self.paired = PairedEvidence()
        self.critical = CriticalDifferences()
        self.jump = JumpEvidence()
        self.legacy_errors = AbsoluteEvidence(rules.error_rate)
        self.legacy_slow = AbsoluteEvidence(SLOW_TOLERATED)
        self._noise = (0, 0)
        self._alike = 0
        self._differed = False
        """Whether any pair of answers was ever evidence."""

        self.slow_limit = rules.p95
        """Seconds from which on an answer is slow: said by whoever counts them, told in words."""

    # What comes in

    def outcomes(self, side: str, tally: Tally, weight: float, now: float) -> list[BadEvent]:
        """Take what a worker saw of one side; `weight` is the one in force, as a fraction.

        Gives the events of modern that count, each the first of its identity in 10 s.
        """
        by_modern = side == MODERN
        if by_modern:
            self._share.add(modern=tally.decided)
        else:
            self._share.add(legacy=tally.decided)
        self._answered += tally.ok + tally.client_errors
        if not (self.armed or tally.bad or tally.slow or tally.denied):
            return []
        self.armed = True
        bad = self._admitted(tally.bad_events, _BAD, by_modern, now)
        slow = self._admitted(_slow_events(tally), _SLOW, by_modern, now)
        denied = self._admitted(tally.denied_events, _DENIED, by_modern, now)
        if bad or slow or denied:
            self._count_distinct(side, len(bad), len(slow), len(denied))
        share = self._share.of(weight)
        fast = tally.ok - tally.slow
        if by_modern:
            self.errors.add(tally.ok, len(bad))
            self.slow.add(fast, len(slow))
        else:
            self.legacy_errors.add(tally.ok, len(bad))
            self.legacy_slow.add(fast, len(slow))
        for _ in bad:
            self.relative.add(by_modern=by_modern, share=share)
        for _ in slow:
            self.relative_slow.add(by_modern=by_modern, share=share)
        self.jump.add(
            by_modern=by_modern,
            good=tally.ok + tally.client_errors - tally.denied,
            denied=len(denied),
            answered=self._answered,
            now=now,
        )
        self.armed = not self._is_quiet()
        return [*bad, *slow, *denied] if by_modern else []

    def comparisons(self, alike: int, pairs: Iterable[PairEvent], now: float) -> list[PairEvent]:
        """Take how many comparisons differed in nothing that counts, and what came meanwhile.

        Gives the pairs that count against modern, each the first of its identity in 10 s.
        """
        counted = [pair for pair in pairs if self._is_first(pair.identity, _PAIRS[pair.kind], now)]
        differ = 0
        self._differed = self._differed or bool(counted)
        for pair in counted:
            self.counted[pair.kind.value] += 1
            if pair.kind is PairKind.CRITICAL:
                self.critical.add(pair.identity, pair.place)
            if pair.kind in (PairKind.CRITICAL, PairKind.MISMATCH):
                differ += 1
            else:
                self.paired.add(modern_failed=pair.kind is PairKind.MODERN_FAILED)
        if differ:
            self.mismatches.add(self._alike + alike, differ)
            self._alike = 0
        else:
            # What differs comes a message later than what came out alike before it.
            if not self.mismatches.at_rest:
                self.mismatches.add(self._alike, 0)
            self._alike = alike
        return [pair for pair in counted if pair.kind is not PairKind.LEGACY_FAILED]

    def noise(self, baselines: int, differed: int) -> None:
        """Take how often the primary's side was compared with itself, and differed."""
        self.counted["baselines"] += baselines
        self.counted["differed"] += differed
        n, k = self._noise[0] + baselines, self._noise[1] + differed
        self._noise = (n, k)
        tolerated = self._rules.mismatch_rate
        if k:  # before any noise was met, none is known, and a bound would only say how little is
            tolerated = max(tolerated, score_bound(min(k, n), n))
        self.mismatches.tolerate(tolerated)

    def step(self, *, raised: bool, now: float) -> None:
        """Note that the weight was changed; everything proved so far still holds."""
        self._share = Share()
        if raised:
            self.jump.step(self._answered, now)
            self.armed = True

    # What comes out

    def found(self, error_rate: float | None, weight: float) -> Breach | None:
        """Give what is proved: what asks for a rollback first, or else what asks to hold.

        `error_rate` is modern's over the window.
        """
        if not self.armed and not self._differed:
            return None  # nothing has happened for long, as on most routes
        found = [each for each in self._each(error_rate, weight) if each is not None]
        for breach in found:
            if breach.verdict is Verdict.ROLLBACK:
                return breach
        return found[0] if found else None

    def _each(self, error_rate: float | None, weight: float) -> Iterable[Breach | None]:
        yield self._critical()
        if self.armed:
            yield self._absolute("t1", self.errors, self.legacy_errors, self.relative, "fails too")
            yield self._relative(error_rate, weight)
        yield self._proof("t3", self.paired)
        if not self.mismatches.at_rest:
            tolerated = {"tolerated": self.mismatches.tolerated}
            yield self._proof("t4", self.mismatches, **tolerated)
        if self.armed:
            yield self._absolute(
                "t5", self.slow, self.legacy_slow, self.relative_slow, "is slow too"
            )
            if self.jump.modern is not None and self.jump.legacy is not None:
                yield self._absolute(
                    "denied", self.jump.modern, self.jump.legacy, None, "denies more, too"
                )

    def _critical(self) -> Breach | None:
        customers = self.critical.customers
        if not customers:
            return None
        verdict = Verdict.ROLLBACK if customers >= ENOUGH else Verdict.HOLD
        details = {"place": self.critical.place}
        window = self._rules.window
        return Breach("critical", customers, ENOUGH, self.critical.n, window, verdict, details)

    def _absolute(
        self,
        detector: str,
        modern: AbsoluteEvidence,
        legacy: AbsoluteEvidence,
        relative: Mixture | None,
        how: str,
    ) -> Breach | None:
        """Weigh what is proved of modern against legacy's state: a common cause proves nothing."""
        details: dict[str, Any] = {"tolerated": modern.tolerated}
        is_common = legacy.value >= SICK_AT and (relative is None or relative.value < ROLLBACK_AT)
        if detector == "t5":
            details["limit"] = self.slow_limit
        if is_common:
            details["legacy"] = f"legacy {how}"
        found = self._proof(detector, modern, **details)
        if found is None or not is_common:
            return found
        return replace(found, verdict=Verdict.HOLD)

    def _relative(self, error_rate: float | None, weight: float) -> Breach | None:
        """Modern fails more than legacy; a rollback only if it is so often that it is noticed."""
        found = self._proof("t2", self.relative, share=round(self._share.of(weight), 4))
        if found is None or found.verdict is Verdict.HOLD:
            return found
        if error_rate is not None and error_rate >= TOLERATED_LEAST:
            return found
        return replace(found, verdict=Verdict.HOLD)

    def _proof(self, detector: str, evidence: Mixture, **details: Any) -> Breach | None:
        value = evidence.value
        if value < HOLD_AT:
            return None
        proved = value >= ROLLBACK_AT
        return Breach(
            detector,
            value,
            ROLLBACK_AT if proved else HOLD_AT,
            evidence.n,
            self._rules.window,
            Verdict.ROLLBACK if proved else Verdict.HOLD,
            {"hits": evidence.hits, **details},
        )

    # Over a restart

    def kept(self) -> dict[str, Any] | None:
        """Give as JSON-able values what a restart must not lose, or None while there is nothing."""
        kept: dict[str, Any] = {
            name: evidence.kept() for name, evidence in self._named() if evidence.n
        }
        if self.critical.n:
            kept["critical"] = self.critical.kept()
        if (jump := self.jump.kept()) is not None:
            kept["jump"] = jump
        if self._noise[0]:
            kept["noise"] = list(self._noise)
        return {"form": FORM, **kept} if kept else None

    def restore(self, plain: Any, now: float) -> None:
        """Go on from what `kept` gave.

        Raises ValueError when it cannot be read; then nothing of it is to be used.
        """
        try:
            if plain["form"] != FORM:
                raise ValueError(f"evidence in form {plain['form']!r}, this program reads {FORM}")
            for name, evidence in self._named():
                if name in plain:
                    evidence.restore(plain[name])
            if "critical" in plain:
                self.critical.restore(plain["critical"])
            if "jump" in plain:
                self.jump.restore(plain["jump"], now)
            if "noise" in plain:
                n, k = map(int, plain["noise"])
                self._noise = (n, k)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"evidence that cannot be read: {error!r}") from error
        self.armed = not self._is_quiet()
        self._differed = True

    def _named(self) -> Iterable[tuple[str, Mixture]]:
        return (
            ("errors", self.errors),
            ("slow", self.slow),
            ("mismatches", self.mismatches),
            ("relative", self.relative),
            ("relative_slow", self.relative_slow),
            ("paired", self.paired),
            ("legacy_errors", self.legacy_errors),
            ("legacy_slow", self.legacy_slow),
        )

    # Small parts

    def _admitted(
        self, events: list[BadEvent], kind: int, by_modern: bool, now: float
    ) -> list[BadEvent]:
        place = kind * 2 + by_modern
        return [event for event in events if self._is_first(event.identity, place, now)]

    def _count_distinct(self, side: str, bad: int, slow: int, denied: int) -> None:
        self.counted[f"{side}_distinct"] += bad
        self.counted[f"{side}_distinct_slow"] += slow
        self.counted[f"{side}_distinct_denied"] += denied

    def _is_first(self, identity: int, place: int, now: float) -> bool:
        """Whether an identity meets this for the first time in 10 s: failing is not being slow."""
        return self._firsts.admit(identity << 4 | place, now)

    def _is_quiet(self) -> bool:
        """Whether only good events have come for long. What T2 knows waits for the next bad one."""
        return (
            self.errors.at_rest
            and self.slow.at_rest
            and self.legacy_errors.at_rest
            and self.legacy_slow.at_rest
            and self.relative.value < HOLD_AT
            and self.relative_slow.value < HOLD_AT
            and not self.jump.is_armed
        )


def _slow_events(tally: Tally) -> list[BadEvent]:
    """Give what was slow, and what was so slow that it was given up."""
    late = [event for event in tally.bad_events if event.kind is OutcomeKind.TIMEOUT]
    return tally.slow_events + late
