from __future__ import annotations

import json
import random
from itertools import count
from typing import Any

import pytest

from proxy.outcome import BadEvent, OutcomeKind, PairEvent, PairKind, Tally
from proxy.rollout.breach import Breach, Verdict
from proxy.rollout.detectors import Detectors
from proxy.routing.rules import RollbackRules

RULES = RollbackRules(error_rate=0.005)
WEIGHT = 0.1

_identities = count(1)


class Scene:
    """A route at 10%, and what its workers tell."""

    def __init__(self, rules: RollbackRules = RULES) -> None:
        self.detectors = Detectors(rules)
        self.now = 1000.0
        self.outcomes(decided=0, side="legacy")

    def outcomes(
        self,
        ok: int = 0,
        bad: int = 0,
        slow: int = 0,
        denied: int = 0,
        *,
        side: str = "modern",
        kind: OutcomeKind = OutcomeKind.RESET,
        identity: int | None = None,
        decided: int | None = None,
    ) -> list[BadEvent]:
        """A worker tells of one side; each event is another customer's unless one is named."""

        def events(number: int, kind: OutcomeKind, status: int) -> list[BadEvent]:
            return [
                BadEvent(
                    self.now, next(_identities) if identity is None else identity, kind, status,
                    0.1, "GET", "/a", "r",
                )
                for _ in range(number)
            ]  # fmt: skip

        tally = Tally(
            decided=ok + slow + bad + denied if decided is None else decided,
            ok=ok + slow,
            bad=bad,
            client_errors=denied,
            slow=slow,
            denied=denied,
            bad_events=events(bad, kind, 0),
            slow_events=events(slow, OutcomeKind.OK, 200),
            denied_events=events(denied, OutcomeKind.OK, 401),
        )
        return self.detectors.outcomes(side, tally, WEIGHT, self.now)

    def pairs(self, kind: PairKind, number: int = 1, identity: int | None = None) -> None:
        """A shadow worker tells of pairs."""
        for _ in range(number):
            who = next(_identities) if identity is None else identity
            event = PairEvent("a", kind, self.now, who, "GET", "/a", "r", 200, 500, "$.price")
            self.detectors.comparisons(0, [event], self.now)

    def found(self, error_rate: float | None = 0.5) -> tuple[str, Verdict] | None:
        """What stands now, by detector and verdict."""
        breach = self.detectors.found(error_rate, WEIGHT)
        return None if breach is None else (breach.detector, breach.verdict)

    @property
    def breach(self) -> Breach:
        """What stands now."""
        breach = self.detectors.found(0.5, WEIGHT)
        assert breach is not None
        return breach


@pytest.fixture
def scene() -> Scene:
    """A route that has been well for long."""
    scene = Scene()
    scene.outcomes(ok=9000, side="legacy")
    scene.outcomes(ok=1000)
    return scene


class TestAbsolute:
    """T1."""

    def test_holds_and_then_takes_back(self, scene: Scene) -> None:
        """A dead side holds after three customers and is taken back after five."""
        found = []
        for _ in range(5):
            scene.outcomes(bad=1)
            found.append(scene.found())
        assert found == [None, None, ("t1", Verdict.HOLD), ("t1", Verdict.HOLD),
                         ("t1", Verdict.ROLLBACK)]  # fmt: skip
        assert str(scene.breach).startswith("5 of 5 requests to modern failed: this proves")

    def test_a_customer_in_a_loop_is_one_event(self, scene: Scene) -> None:
        """However often one customer tries, it counts once in ten seconds."""
        counted = [len(scene.outcomes(bad=1, identity=7)) for _ in range(50)]
        assert sum(counted) == 1
        assert scene.found() is None

    def test_a_common_cause_holds(self, scene: Scene) -> None:
        """When legacy dies with it, modern is not taken back to where nothing is better."""
        for turn in range(100):
            scene.outcomes(bad=1, side="modern" if turn % 10 == 9 else "legacy")
        assert scene.found() == ("t1", Verdict.HOLD)
        assert "legacy fails too, so nothing proves" in str(scene.breach)

    def test_much_worse_than_a_sick_legacy_is_proved_all_the_same(self, scene: Scene) -> None:
        """If modern has nearly all the failures, it is the relative detector that says so."""
        for turn in range(80):
            scene.outcomes(bad=1, side="legacy" if turn % 10 == 9 else "modern")
        assert scene.found() == ("t1", Verdict.ROLLBACK)

    def test_legacy_well_again_vetoes_no_more(self, scene: Scene) -> None:
        """What legacy suffered is washed away by what it does well."""
        scene.outcomes(bad=30, side="legacy")
        scene.outcomes(ok=20_000, side="legacy")
        scene.outcomes(bad=5)
        assert scene.found() == ("t1", Verdict.ROLLBACK)


class TestRelative:
    """T2."""

    def test_below_what_is_tolerated_but_worse_than_legacy(self) -> None:
        """4% against nearly none, with 5% tolerated: T1 says nothing, T2 does."""
        scene = Scene(RollbackRules())
        for _ in range(14):
            scene.outcomes(ok=216, side="legacy")
            scene.outcomes(ok=24, bad=1)
        assert scene.found(error_rate=0.04) == ("t2", Verdict.ROLLBACK)
        assert "failures were modern's, which has 10% of the requests" in str(
            scene.detectors.found(0.04, WEIGHT)
        )

    def test_less_than_anybody_notices_holds(self) -> None:
        """One failure in a thousand is worse than none, but no reason to go back."""
        scene = Scene(RollbackRules())
        for _ in range(30):
            scene.outcomes(ok=9000, side="legacy")
            scene.outcomes(ok=1000, bad=1)
        assert scene.found(error_rate=0.001) == ("t2", Verdict.HOLD)


class TestPaired:
    """T3."""

    def test_mirrored_requests_prove_it_without_any_weight(self, scene: Scene) -> None:
        """Where modern fails what legacy does well, some forty pairs are enough."""
        scene.pairs(PairKind.MODERN_FAILED, 45)
        assert scene.found() == ("t3", Verdict.ROLLBACK)
        assert "of 45 mirrored requests that one side failed, modern failed 45" in str(scene.breach)

    def test_as_often_the_one_as_the_other(self, scene: Scene) -> None:
        """Failures of both in turn prove nothing."""
        for _ in range(500):
            scene.pairs(PairKind.MODERN_FAILED)
            scene.pairs(PairKind.LEGACY_FAILED)
        assert scene.found() is None


class TestDifferences:
    """T4."""

    def test_more_differences_than_tolerated(self, scene: Scene) -> None:
        """A tenth of the comparisons differing, with 1% tolerated, is proved."""
        for _ in range(30):
            scene.detectors.comparisons(9, (), scene.now)
            scene.pairs(PairKind.MISMATCH)
        assert scene.found() == ("t4", Verdict.ROLLBACK)

    def test_many_at_once_are_no_row(self, scene: Scene) -> None:
        """Five differences among five hundred comparisons prove nothing, even in one message."""
        pairs = [
            PairEvent("a", PairKind.MISMATCH, scene.now, identity, "GET", "/a", "r", 200, 200)
            for identity in range(10**6, 10**6 + 5)
        ]
        scene.detectors.comparisons(495, (), scene.now)
        scene.detectors.comparisons(0, pairs, scene.now)
        assert scene.found() is None

    def test_noise_that_was_measured_is_tolerated(self, scene: Scene) -> None:
        """When legacy differs from itself in a tenth of its answers, so may modern."""
        scene.detectors.noise(500, 50)
        for _ in range(200):
            scene.detectors.comparisons(9, (), scene.now)
            scene.pairs(PairKind.MISMATCH)
        assert scene.found() is None

    def test_noise_that_nobody_met_widens_nothing(self, scene: Scene) -> None:
        """A few baselines without a difference do not stand for a large rate."""
        scene.detectors.noise(20, 0)
        assert scene.detectors.mismatches.tolerated == RULES.mismatch_rate

    def test_first_critical_difference_holds_and_the_third_takes_back(self, scene: Scene) -> None:
        """A wrong amount is no percentage: three customers are enough."""
        found = []
        for identity in (1, 1, 2, 3):
            scene.pairs(PairKind.CRITICAL, identity=identity)
            scene.now += 11
            found.append(scene.found())
        hold, back = ("critical", Verdict.HOLD), ("critical", Verdict.ROLLBACK)
        assert found == [hold, hold, hold, back]
        assert str(scene.breach) == (
            "3 customers got another answer where nothing may differ ($.price)"
        )


class TestSlowness:
    """T5."""

    def test_slow_answers_are_proved(self, scene: Scene) -> None:
        """30% slow instead of 5% is proved after some 75 requests."""
        chance, n = random.Random(3), 0
        while scene.found() != ("t5", Verdict.ROLLBACK) and n < 200:
            is_slow = chance.random() < 0.3
            scene.outcomes(ok=int(not is_slow), slow=int(is_slow))
            n += 1
        assert 30 < n < 150

    def test_what_times_out_is_slow_too(self, scene: Scene) -> None:
        """A request that was given up counts as failed and as slow."""
        scene.outcomes(bad=1, kind=OutcomeKind.TIMEOUT)
        assert (scene.detectors.errors.hits, scene.detectors.slow.hits) == (1, 1)

    def test_a_slow_database_behind_both_holds(self, scene: Scene) -> None:
        """When legacy is as slow, it is no fault of modern."""
        for turn in range(200):
            scene.outcomes(slow=1, side="modern" if turn % 10 == 9 else "legacy")
        assert scene.found() == ("t5", Verdict.HOLD)


class TestDenied:
    """Sessions that do not carry over."""

    def test_a_jump_after_a_step(self, scene: Scene) -> None:
        """Customers who are logged out by a step take it back, though nothing has failed."""
        scene.detectors.step(raised=True, now=scene.now)
        for _ in range(8):
            scene.outcomes(denied=1)
        assert scene.found() == ("denied", Verdict.ROLLBACK)
        assert "sessions may not carry over" in str(scene.breach)

    def test_without_a_step_it_is_nobodys_doing(self, scene: Scene) -> None:
        """Whoever guesses passwords is not modern's failure."""
        scene.outcomes(denied=50)
        assert scene.found() is None

    def test_lowering_the_weight_is_no_step(self, scene: Scene) -> None:
        """Who goes back to legacy was there before."""
        scene.detectors.step(raised=False, now=scene.now)
        scene.outcomes(denied=50)
        assert scene.found() is None


def test_what_is_quiet_costs_nothing(scene: Scene) -> None:
    """Good events are reckoned with from a bad one on, until all is well again."""
    armed = [scene.detectors.armed]
    scene.outcomes(bad=1)
    armed.append(scene.detectors.armed)
    for _ in range(50):
        scene.outcomes(ok=100_000)
    armed.append(scene.detectors.armed)
    assert armed == [False, True, False]


class TestRestart:
    """What a restart must not lose."""

    @staticmethod
    def troubled() -> Scene:
        """A route on which everything has begun to grow."""
        scene = Scene()
        scene.outcomes(ok=9000, side="legacy")
        scene.detectors.step(raised=True, now=scene.now)
        scene.outcomes(ok=5, bad=2, slow=3, denied=2)
        scene.outcomes(ok=9, bad=1, slow=1, side="legacy")
        scene.pairs(PairKind.MODERN_FAILED, 3)
        scene.pairs(PairKind.MISMATCH, 2)
        scene.pairs(PairKind.CRITICAL, identity=5)
        scene.detectors.noise(100, 3)
        return scene

    def test_nothing_is_kept_of_what_is_well(self, scene: Scene) -> None:
        """Most routes have nothing to lose."""
        assert scene.detectors.kept() is None

    def test_it_goes_on_where_it_was(self) -> None:
        """Kept as JSON, restored, and driven further, both come to the same."""
        before, after = self.troubled(), Scene()
        after.detectors.restore(json.loads(json.dumps(before.detectors.kept())), after.now)
        assert after.detectors.kept() == before.detectors.kept()
        for scene in (before, after):
            scene.outcomes(ok=2, bad=2)
        for name in ("errors", "slow", "mismatches", "paired", "legacy_errors"):
            one, other = getattr(before.detectors, name), getattr(after.detectors, name)
            assert other.value == pytest.approx(one.value)
        assert after.found() == before.found()

    @pytest.mark.parametrize(
        "damage",
        [
            lambda plain: plain | {"form": 99},
            lambda plain: {key: value for key, value in plain.items() if key != "form"},
            lambda plain: plain | {"errors": 7},
            lambda plain: plain | {"errors": plain["errors"] | {"r": [1.0]}},
            lambda plain: plain | {"critical": {"n": 1}},
            lambda plain: plain | {"noise": "many"},
            lambda plain: plain | {"jump": []},
            lambda _plain: None,
            lambda _plain: [],
            lambda _plain: "evidence",
        ],
    )
    def test_damaged_evidence_is_refused(self, damage: Any) -> None:
        """What cannot be read raises one kind of error, whatever is wrong with it."""
        with pytest.raises(ValueError, match=r"."):
            Scene().detectors.restore(damage(self.troubled().detectors.kept()), 0.0)
