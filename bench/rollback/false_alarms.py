"""False alarms: all detectors of one route together, over traffic half as bad as tolerated.

Seeded, without a server and without a clock: what a worker would tell is given to the detectors
that the controller uses, as tallies, so that it is the product's own code that judges: each failure
at once with what was good before it, and the rest every 50 ms. What is good is told as a count, as
by the worker, which is why 1e8 requests can be had.

Clients are bursty (arrivals come and go by a factor of eight), repeated (who failed tries again up
to six times in a row), correlated (one in ten failures takes a second customer with it, in the same
instant) and unequal (half of the failures are of one customer in a hundred).
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from itertools import count

from proxy.outcome import BadEvent, OutcomeKind, PairEvent, PairKind, Tally
from proxy.rollout.breach import Verdict
from proxy.rollout.detectors import SLOW_TOLERATED, Detectors
from proxy.rollout.paired import NULL
from proxy.rollout.relative import R0
from proxy.routing.rules import RollbackRules

SEED = 20_260_102
RULES = RollbackRules(error_rate=0.005, mismatch_rate=0.01)
HALF = 0.5
"""Of every threshold: twice as much would just be tolerated."""

WEIGHT = 0.1
BATCH = 0.05
MEAN = 50.0
"""Requests of modern in a batch, on average: a thousand a second."""

CUSTOMERS = 20_000
STEP = 1_000_000
"""Requests between two steps of the weight, each of which arms the detector of lost sessions."""

ERRORS = HALF * RULES.error_rate
SLOW = HALF * SLOW_TOLERATED
DENIED = HALF * 0.005
MISMATCHES = HALF * RULES.mismatch_rate
RATIO = HALF * R0
PAIRED = HALF * NULL

_CORRELATED = 0.1
_TROUBLED = 0.5
_RETRIES = 6


@dataclass(slots=True)
class Alarms:
    """What was asked for, by detector: rollbacks, and holds (spells of them, not batches)."""

    requests: int = 0
    raw_failures: int = 0
    rollbacks: dict[str, int] = field(default_factory=dict)
    holds: dict[str, int] = field(default_factory=dict)


def run(requests: int) -> Alarms:
    """Judge so many requests of modern, and nine times as many of legacy."""
    return Traffic(random.Random(SEED)).run(requests)


class Traffic:
    """One route's traffic, batch by batch."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._detectors = Detectors(RULES)
        self._now = 0.0
        self._burst, self._left = 1.0, 0
        self._trying: list[tuple[int, int]] = []
        self._events = [_event(customer) for customer in range(CUSTOMERS)]
        self._spell = ""
        self._found = Alarms()

    def run(self, requests: int) -> Alarms:
        """Go on until modern has had so many."""
        found, steps = self._found, count(STEP, STEP)
        step = next(steps)
        while found.requests < requests:
            self._arrivals()
            self._legacy()
            self._modern()
            self._mirrored()
            self._look()
            self._now += BATCH
            if found.requests >= step:
                step = next(steps)
                self._detectors.step(raised=True, now=self._now)
        return found

    def _arrivals(self) -> None:
        """Let arrivals come and go: bursts of up to 2 s, their mean 1."""
        if self._left <= 0:
            self._burst = self._chance.choice((0.25, 0.5, 0.75, 1.0, 1.0, 1.5, 2.0))
            self._left = self._chance.randrange(1, 40)
        self._left -= 1

    def _modern(self) -> None:
        number = self._poisson(MEAN * self._burst)
        failures = self._failures(number * ERRORS)
        tries = [[customer] for customer, _ in self._trying]
        self._trying = [(who, left - 1) for who, left in self._trying if left > 1]
        self._trying += [
            (who, self._chance.randrange(1, _RETRIES)) for bad in failures for who in bad
        ]
        self._tell("modern", number, failures + tries, SLOW, DENIED)
        self._found.requests += number
        self._found.raw_failures += sum(map(len, failures)) + len(tries)

    def _legacy(self) -> None:
        number = self._poisson(MEAN * self._burst * (1 - WEIGHT) / WEIGHT)
        self._tell("legacy", number, self._failures(number * ERRORS / RATIO), 0.0, DENIED)

    def _tell(
        self, side: str, number: int, failures: list[list[int]], slow: float, denied: float
    ) -> None:
        """Tell of each failure at once, with what came before it, and of the rest at the end."""
        good = max(0, number - sum(map(len, failures)))
        for left in range(len(failures), 0, -1):
            before = int(good * (1 - self._chance.random() ** (1 / left)))  # the first of so many
            good -= before
            self._tell_part(side, before, failures[left - 1], slow, denied)
        self._tell_part(side, good, [], slow, denied)

    def _tell_part(self, side: str, good: int, bad: list[int], slow: float, denied: float) -> None:
        slow_events = self._some(good * slow)
        denied_events = self._some(good * denied)
        tally = Tally(
            decided=good + len(bad),
            ok=max(good - len(denied_events), len(slow_events)),
            bad=len(bad),
            bad_events=[self._events[customer] for customer in bad],
            client_errors=len(denied_events),
            slow=len(slow_events),
            denied=len(denied_events),
            slow_events=slow_events,
            denied_events=denied_events,
        )
        self._detectors.outcomes(side, tally, WEIGHT, self._now)

    def _some(self, mean: float) -> list[BadEvent]:
        if not mean:
            return []
        return [self._events[self._customer()] for _ in range(self._poisson(mean))]

    def _mirrored(self) -> None:
        """Every request of modern is compared; of those that one side fails, 30% are modern's."""
        number = self._poisson(MEAN * self._burst)
        differ = self._poisson(number * MISMATCHES)
        kinds = [PairKind.MISMATCH] * differ
        for _ in range(self._poisson(number * ERRORS)):
            modern = self._chance.random() < PAIRED
            kinds.append(PairKind.MODERN_FAILED if modern else PairKind.LEGACY_FAILED)
        pairs = [
            PairEvent("r", kind, 0.0, self._customer(), "GET", "/", "r", 0, 0) for kind in kinds
        ]
        self._detectors.comparisons(number - differ, pairs, self._now)

    def _failures(self, mean: float) -> list[list[int]]:
        """Give the customers that fail, now and then two at once."""
        return [
            [self._customer() for _ in range(1 + (self._chance.random() < _CORRELATED))]
            for _ in range(self._poisson(mean / (1 + _CORRELATED)))
        ]

    def _customer(self) -> int:
        troubled = self._chance.random() < _TROUBLED
        return int(self._chance.random() * (CUSTOMERS // 100 if troubled else CUSTOMERS))

    def _look(self) -> None:
        if not self._detectors.armed and not self._spell:
            return
        breach = self._detectors.found(ERRORS, WEIGHT)
        spell = "" if breach is None else f"{breach.detector} {breach.verdict}"
        if breach is not None and spell != self._spell:
            into = self._found.holds
            if breach.verdict is Verdict.ROLLBACK:
                into = self._found.rollbacks
            into[breach.detector] = into.get(breach.detector, 0) + 1
        self._spell = spell

    def _poisson(self, mean: float) -> int:
        """Draw from a Poisson distribution; from 30 on from the normal one that is next to it."""
        if mean >= 30.0:
            return max(0, round(self._chance.gauss(mean, math.sqrt(mean))))
        limit, product, number = math.exp(-mean), self._chance.random(), 0
        while product > limit:
            product *= self._chance.random()
            number += 1
        return number


def _event(customer: int) -> BadEvent:
    return BadEvent(0.0, customer, OutcomeKind.RESET, 0, 0.0, "GET", "/", "r")
