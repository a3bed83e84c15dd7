"""How many requests each detector needs: seeded simulations over the product's own detectors."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.stats import percentile
from proxy.rollout.evidence import AbsoluteEvidence
from proxy.rollout.mixture import HOLD_AT, ROLLBACK_AT, Mixture
from proxy.rollout.paired import PairedEvidence
from proxy.rollout.relative import RelativeEvidence

SEED = 20_260_101
REQUESTS_MOST = 1_000_000

FAR = 3.1e10
"""One false rollback a quarter over 400 detectors at 10 requests a second each."""

P0 = 0.005
WEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class Case:
    """One regression: what it is, what proves it, and at how much evidence.

    `published` is the mean that the specification gives from its own simulation, if it gives one;
    `least` what no procedure can do better than. `make` gives evidence and one request's effect.
    """

    detector: str
    regression: str
    limit: float
    make: Callable[[random.Random], tuple[Mixture, Callable[[], None]]]
    least: float
    published: float | None = None


@dataclass(frozen=True, slots=True)
class Detected:
    """Requests of modern (T3, T4: mirrored pairs) until a case was detected."""

    case: Case
    mean: float
    p95: float

    @property
    def off(self) -> float | None:
        """By how much, in proportion, the mean is above the published one."""
        return None if self.case.published is None else self.mean / self.case.published - 1


def detect(case: Case, runs: int) -> Detected:
    """Run a case so many times."""
    chance = random.Random(f"{SEED}/{case.detector}/{case.regression}/{case.limit}")
    counts = sorted(_once(case, chance) for _ in range(runs))
    return Detected(case, statistics.mean(counts), percentile(counts, 0.95))


def _once(case: Case, chance: random.Random) -> int:
    evidence, request = case.make(chance)
    for count in range(1, REQUESTS_MOST):
        request()
        if evidence.value >= case.limit:
            return count
    return REQUESTS_MOST


def cases() -> Iterator[Case]:
    """Every case of the table: the rates that are published, and one or two for each other."""
    published = {1.0: (4, 6), 0.5: (8, 12), 0.1: (69, 137), 0.05: (160, 325)}
    for rate, means in published.items():
        for limit, mean in zip((HOLD_AT, FAR), means, strict=True):
            yield _absolute("t1", P0, rate, "fail", limit, mean)
        yield _absolute("t1", P0, rate, "fail", ROLLBACK_AT)
    for rate, legacy in ((1.0, 0.001), (0.2, 0.001), (0.05, 0.001)):
        yield _relative(rate, legacy)
    for rate in (1.0, 0.2):
        yield _paired(rate)
    for rate in (0.1, 0.05):
        yield _absolute("t4", 0.01, rate, "differ", ROLLBACK_AT)
    yield _absolute("t5", 0.06, 0.3, "slow", HOLD_AT, 50)
    yield _absolute("t5", 0.06, 0.3, "slow", ROLLBACK_AT)
    yield _absolute("t5", 0.06, 1.0, "slow", ROLLBACK_AT)


def _absolute(
    detector: str, p0: float, rate: float, how: str, limit: float, published: float | None = None
) -> Case:
    def make(chance: random.Random) -> tuple[Mixture, Callable[[], None]]:
        evidence = AbsoluteEvidence(p0)

        def request() -> None:
            bad = chance.random() < rate
            evidence.add(int(not bad), int(bad))

        return evidence, request

    least = math.log(limit) / divergence(rate, p0)
    return Case(detector, f"{rate:.0%} {how}, {p0:.1%} tolerated", limit, make, least, published)


def _relative(rate: float, legacy: float) -> Case:
    def make(chance: random.Random) -> tuple[Mixture, Callable[[], None]]:
        evidence, others = RelativeEvidence(), round(1 / WEIGHT) - 1

        def request() -> None:
            for _ in range(others):
                if chance.random() < legacy:
                    evidence.add(by_modern=False, share=WEIGHT)
            if chance.random() < rate:
                evidence.add(by_modern=True, share=WEIGHT)

        return evidence, request

    ratio = rate / legacy
    q1, q0 = (r * WEIGHT / (r * WEIGHT + 1 - WEIGHT) for r in (ratio, 1.5))
    bad_a_request = rate + legacy * (1 - WEIGHT) / WEIGHT
    least = math.log(ROLLBACK_AT) / divergence(q1, q0) / bad_a_request
    what = f"{rate:.0%} fail, of legacy {legacy:.1%}, at {WEIGHT:.0%}"
    return Case("t2", what, ROLLBACK_AT, make, least)


def _paired(rate: float) -> Case:
    def make(chance: random.Random) -> tuple[Mixture, Callable[[], None]]:
        evidence = PairedEvidence()

        def request() -> None:
            modern, legacy = chance.random() < rate, chance.random() < 0.001
            if modern is not legacy:
                evidence.add(modern_failed=modern)

        return evidence, request

    discordant = rate * 0.999 + 0.001 * (1 - rate)
    least = math.log(ROLLBACK_AT) / divergence(rate * 0.999 / discordant, 0.6) / discordant
    return Case("t3", f"{rate:.0%} of mirrored fail", ROLLBACK_AT, make, least)


def divergence(p1: float, p0: float) -> float:
    """Kullback and Leibler's D(p1 || p0) of two rates, in nats."""
    return sum(a * math.log(a / b) for a, b in ((p1, p0), (1.0 - p1, 1.0 - p0)) if a > 0.0)
