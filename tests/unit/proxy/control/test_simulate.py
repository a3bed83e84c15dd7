from __future__ import annotations

from dataclasses import replace
from itertools import count, repeat
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.control.interval import EVERY_ROUTE, Cutter, Interval, SideCounts
from proxy.control.live import LiveRoute, Position
from proxy.control.loaded import LoadedRules
from proxy.control.simulate import Simulation, simulate
from proxy.outcome import (
    BadEvent,
    ComparisonCount,
    OutcomeKind,
    PairEvent,
    PairKind,
    Tally,
    latency_bucket,
)
from proxy.rollout.breach import Verdict
from proxy.rollout.plan import Progress
from proxy.routing.schema import load_rules

POLICY = """\
version: 1
upstreams: {legacy: {instances: ["http://a:1"]}, modern: {instances: ["http://a:2"]}}
defaults: {rollback: {cooldown: 2m, min_requests: 20}}
plans:
  p:
    - {weight: 0%, until: {compared: 100}}
    - {weight: 10%, hold: 3m, until: {requests: 50}}
    - {weight: 50%, hold: 1m}
    - {weight: 100%}
routes:
  - {id: plans, match: {path: /plans}, weight: 0%, plan: p, mirror: {share: 100%}}
  - {id: rest, match: {path: /*}}
"""
START = 1_790_000_000.0


def play(recorded: list[Interval], policy: str = POLICY) -> Simulation:
    """Play a policy on what was recorded."""
    return simulate(LoadedRules(policy, *load_rules(policy, "policy")), recorded)


def minute(number: int, bad: int = 0, modern: int = 120, **changes: object) -> Interval:
    """Give a minute in which each side answered, and some of modern's answers were bad."""
    fast = {latency_bucket(0.02): modern}
    seen = SideCounts(modern - bad, bad, modern - bad, bad, fast)
    legacy = SideCounts(1000, 0, 1000, 0, {latency_bucket(0.05): 1000})
    found = Interval(
        "plans", START + 60 * number, 60.0, 1, 1000, legacy, seen, {"match": 60, "mismatch": 0}
    )
    return replace(found, **changes)  # type: ignore[arg-type] # names of its own fields


def told(found: Simulation) -> list[tuple[str, int, int, float]]:
    """Give the moves, each with the minute in which it came."""
    return [(m.action, m.before, m.after, (m.at - START) / 60) for m in found.moves]


def test_a_good_day() -> None:
    """Steps come when their gates are satisfied by what was recorded, to five seconds."""
    found = play([minute(n) for n in range(1, 12)])
    assert [move[:3] for move in told(found)] == [
        ("advance", 0, 1000), ("advance", 1000, 5000), ("advance", 5000, 10_000),
    ]  # fmt: skip
    times = [move[3] for move in told(found)]
    assert 1.5 < times[0] < 1.8  # 100 comparisons at 60 a minute
    assert times[1] == pytest.approx(times[0] + 3.0, abs=0.2)
    assert times[2] == pytest.approx(times[1] + 1.0, abs=0.3)
    [ending, _] = found.endings
    assert (ending.route, ending.weight, ending.minutes) == ("plans", 10_000, 11)


def test_a_bad_hour_is_taken_back() -> None:
    """With the sentence that the controller would have said; and nobody is there to resume."""
    found = play([*(minute(n) for n in range(1, 4)), *(minute(n, bad=60) for n in range(4, 30))])
    assert [move[:3] for move in told(found)] == [("advance", 0, 1000), ("rollback", 1000, 0)]
    assert 3.0 < told(found)[1][3] < 3.5
    assert "modern" in found.moves[1].reason or "error rate" in found.moves[1].reason
    assert found.endings[0].reason.startswith("rolled back; waits to be resumed")


def test_a_policy_that_resumes_by_itself() -> None:
    """As often as it says, after the cool-down of the policy, from its first step."""
    policy = POLICY.replace("cooldown: 2m", "cooldown: 2m, auto_resume: 1")
    found = play([minute(n, bad=60 if n > 3 else 0) for n in range(1, 40)], policy)
    actions = [move[0] for move in told(found)]
    assert actions == ["advance", "rollback", "resume", "advance", "rollback"]
    assert told(found)[2][3] == pytest.approx(told(found)[1][3] + 2.0, abs=0.2)


def test_a_policy_that_freezes() -> None:
    """The weight stays, and it is said once in a cool-down."""
    policy = POLICY.replace("plan: p,", "plan: p, on_breach: freeze,")
    found = play([minute(n, bad=60 if n > 3 else 0) for n in range(1, 8)], policy)
    assert [move[0] for move in told(found)] == ["advance", "freeze", "freeze"]
    assert found.endings[0].weight == 1000


def test_what_nobody_saw_is_no_evidence() -> None:
    """Without answers of modern no step beyond the shadow; without comparisons not even that."""
    unseen = [minute(n, modern=0) for n in range(1, 30)]
    assert [move[:3] for move in told(play(unseen))] == [("advance", 0, 1000)]
    found = play([replace(each, comparisons={}) for each in unseen])
    assert found.moves == ()
    assert "more comparisons" in found.endings[0].reason


def test_idle_minutes_that_were_watched_count() -> None:
    """A minute in which somebody watched and nothing came holds a step; one unrecorded does not."""
    watched = [Interval(EVERY_ROUTE, START + 60.0 * n, 60.0) for n in range(1, 30)]
    busy = [minute(n) for n in (1, 2, 3, 20)]
    moves = told(play(sorted([*watched, *busy], key=lambda each: each.at)))
    assert [move[:2] for move in moves] == [("advance", 0), ("advance", 1000), ("advance", 5000)]
    assert 4.5 < moves[1][3] < 5.0  # its 50 requests were there, and the time went on
    assert play(busy).endings[0].weight == 1000


def test_a_clock_that_was_set_back_takes_back_nothing() -> None:
    """Minutes are played in the order in which they were recorded, and each for its length."""
    before, after = [minute(n) for n in (1, 2)], [minute(n) for n in range(-58, -40)]
    found = play([*before, *after])
    assert found.minutes == 20
    assert [move[:3] for move in told(found)][-1] == ("advance", 5000, 10_000)
    assert [move.at for move in found.moves] == sorted(move.at for move in found.moves)


def test_one_route_alone() -> None:
    """Nothing else is played, or told of."""
    loaded = LoadedRules(POLICY, *load_rules(POLICY, "policy"))
    found = simulate(loaded, [minute(n) for n in range(1, 12)], "rest")
    assert (found.moves, found.notes, found.minutes) == ((), (), 11)
    assert [each.route for each in found.endings] == ["rest"]


def test_the_calendar_of_the_policy() -> None:
    """Is a part of it."""
    frozen = "calendar: {zone: UTC, freeze: [{from: 2026-09-01, to: 2026-10-31, reason: no}]}\n"
    found = play([minute(n) for n in range(1, 10)], POLICY + frozen)
    assert found.moves == ()
    assert "a freeze (no)" in found.endings[0].reason


def test_a_route_that_the_policy_does_not_know() -> None:
    """Is left out; a route that was not recorded stands where it stood."""
    found = play([replace(minute(1), route="gone")])
    assert [each.minutes for each in found.endings] == [0, 0]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 200)), min_size=1, max_size=6))
@settings(deadline=None, max_examples=25)
def test_no_evidence_is_made_up(minutes: list[tuple[int, int]]) -> None:
    """At no weight does a route see more answers of modern than there were."""
    recorded = [
        minute(n, bad=min(bad, modern), modern=modern)
        for n, (bad, modern) in enumerate(minutes, start=1)
    ]
    found = play(recorded, POLICY.replace("weight: 0%, plan", "weight: 100%, plan"))
    seen = sum(modern for _, modern in minutes)
    for move in found.moves:
        assert move.action == "rollback"
        assert seen > 0


# What the controller did on the spot, played again


PRICES = """\
version: 1
upstreams: {legacy: {instances: ["http://a:1"]}, modern: {instances: ["http://a:2"]}}
routes:
  - id: plans
    match: {path: /plans}
    weight: 10%
    mirror: {share: 100%}
    compare: {critical: ["$.price"]}
    rollback: {error_rate: 5%, p95: 1s, mismatch_rate: 1%, min_requests: 100000}
"""


class Recorder:
    """A live route that is told of messages, each second one, until it would be taken back."""

    def __init__(self, policy: str = PRICES) -> None:
        rules = load_rules(policy, "policy")[1]
        self.live = LiveRoute(rules.routes[0], rules, 0, 0.0)
        self.cutter = Cutter()
        self.now = 0.0
        self.identities = count(1)
        self.detector: str | None = None

    def second(
        self,
        legacy: tuple[int, int] = (90, 0),
        modern: tuple[int, int] = (10, 0),
        slow: int = 0,
        alike: int = 95,
        pairs: tuple[PairKind, ...] = (),
    ) -> None:
        """Tell what came in a second: good and bad answers of each side, and comparisons."""
        self.now += 1.0
        for side, (ok, bad) in (("legacy", legacy), ("modern", modern)):
            late = slow if side == "modern" else 0
            latencies = {latency_bucket(0.02): ok - late, latency_bucket(1.5): late}
            tally = Tally(
                ok + bad, ok, ok, bad, latencies={k: n for k, n in latencies.items() if n}
            )
            tally.bad_events = [self.event(OutcomeKind.STATUS) for _ in range(bad)]
            tally.slow, tally.slow_events = late, [self.event(OutcomeKind.OK) for _ in range(late)]
            self.live.add_outcomes(side, tally, 0, self.now)
        if pairs:
            self.live.note(self.now)
        self.live.add_comparisons(
            ComparisonCount("plans", "", "match", "", False, alike), 0, self.now
        )
        found = [
            PairEvent(
                "plans", kind, 0.0, next(self.identities), "GET", "/", "r", 200, 200, "$.price"
            )
            for kind in pairs
        ]
        self.live.add_pairs(alike, found, 0, self.now)
        told = self.live.judge(self.now, Position(Progress(), None))
        if told.verdict is Verdict.ROLLBACK and self.detector is None:
            assert told.breach is not None
            self.detector = told.breach.detector

    def event(self, kind: OutcomeKind) -> BadEvent:
        """Give an event of another customer."""
        return BadEvent(0.0, next(self.identities), kind, 200, 0.0, "GET", "/plans", "r")

    def recorded(self) -> Interval:
        """Give the minute that ends now, by way of the store."""
        seconds = 60.0
        self.now = max(self.now, seconds)
        found = self.cutter.cut(self.live, 1000, 1, START + seconds, seconds, self.now)
        return Interval.from_plain(orjson.loads(orjson.dumps(found.to_plain())))


CASES: list[tuple[str, dict[str, Any], tuple[str, str]]] = [
    ("t1", {"modern": (0, 10)}, ("error_rate: 5%", "error_rate: 95%")),
    ("t2", {"modern": (5, 5)}, ("weight: 10%", "weight: 0%")),
    ("t3", {"pairs": (PairKind.MODERN_FAILED,) * 6}, ("weight: 10%", "weight: 0%")),
    ("t4", {"pairs": (PairKind.MISMATCH,) * 3}, ("mismatch_rate: 1%", "mismatch_rate: 90%")),
    ("t5", {"slow": 6}, ("p95: 1s", "p95: 3s")),
    ("critical", {"pairs": (PairKind.CRITICAL,)}, ("plans\n", "plans\n    on_breach: freeze\n")),
]


@pytest.mark.parametrize(("detector", "trouble", "other"), CASES, ids=[case[0] for case in CASES])
def test_each_detector_is_played(
    detector: str, trouble: dict[str, Any], other: tuple[str, str]
) -> None:
    """What took the route back live takes it back in the simulation; another policy does not."""
    policy = PRICES.replace("error_rate: 5%", "error_rate: 95%") if detector == "t2" else PRICES
    recorder = Recorder(policy)
    for _ in range(40):
        recorder.second()
    while recorder.detector is None:
        recorder.second(**trouble)
    assert recorder.detector == detector
    noticed = recorder.now
    recorder.second(modern=(0, 0), legacy=(100, 0))
    recorded = recorder.recorded()
    [move] = [each for each in play([recorded], policy).moves if each.action == "rollback"]
    assert (move.detector, move.before, move.after) == (detector, 1000, 0)
    assert move.at - START == pytest.approx(noticed, abs=1.1)
    milder = play([recorded], policy.replace(*other))
    assert [each.detector for each in milder.moves if each.action == "rollback"] == []
    assert milder.notes == () or detector == "t5"


def test_one_customer_with_a_wrong_price_is_one() -> None:
    """However often it is seen again, in this minute or another; a third customer is the third."""
    recorder = Recorder()
    recorder.identities = repeat(7)  # type: ignore[assignment] # the same for ever
    for _ in range(55):
        recorder.second(pairs=(PairKind.CRITICAL,))
    assert recorder.detector is None
    assert recorder.live.totals.counted["critical"] == 6  # once in ten seconds
    found = play([recorder.recorded()], PRICES)
    assert found.moves == ()
    assert found.endings[0].reason.startswith("1 customer got another answer")


def test_legacy_that_fails_as_well_proves_nothing() -> None:
    """A common cause is played, too: there is no rollback where there was none."""
    recorder = Recorder(PRICES.replace("min_requests: 100000", "min_requests: 100000, window: 30s"))
    for _ in range(20):
        recorder.second()
    for _ in range(30):
        recorder.second(legacy=(45, 45), modern=(5, 5))
    assert recorder.detector is None
    assert play([recorder.recorded()], PRICES).moves == ()


def test_a_stricter_limit_is_played_by_latencies() -> None:
    """What was not slow when it was recorded is slow by another policy, and that is said."""
    recorder = Recorder(PRICES.replace("p95: 1s", "p95: 3s"))
    for _ in range(40):
        recorder.second(slow=0)
    recorder.live.totals.sides["modern"].latencies[latency_bucket(1.5)] = 200
    recorder.live.totals.sides["modern"].latencies[latency_bucket(0.02)] = 200
    found = play([recorder.recorded()], PRICES)
    assert [each.detector for each in found.moves] == ["t5"]
    [note] = found.notes
    assert note.startswith("plans: 1 of 1 minutes had another limit for slow answers")
    assert play([recorder.recorded()], PRICES.replace("p95: 1s", "p95: 3s")).moves == ()


def test_an_earlier_program_is_read_and_told_of() -> None:
    """What cannot be known of it is said, for each route."""
    found = play([minute(1), minute(2)])
    [note] = found.notes
    assert note.startswith("plans: 2 of 2 minutes were kept by an earlier program")
    plain = minute(1).to_plain()
    assert "segments" not in plain
    kept = {name: value for name, value in plain.items() if name not in ("slow_at", "place")}
    assert Interval.from_plain(kept) == minute(1)


def test_a_lower_weight_sees_a_part_of_it() -> None:
    """At a tenth of the weight that was recorded, a tenth of the failures; it takes longer."""
    recorder = Recorder(PRICES.replace("weight: 10%", "weight: 50%"))
    for _ in range(50):
        recorder.second(legacy=(50, 0), modern=(38, 12))
    recorded = recorder.recorded()
    at_half, at_tenth, at_full = (
        play([recorded], PRICES.replace("weight: 10%", f"weight: {weight}")).moves[0]
        for weight in ("50%", "5%", "100%")
    )
    assert at_half.at < at_tenth.at
    assert at_full.at == at_half.at


def some(chance: Random, of: int, rate: float) -> int:
    """Give how many of so many are hit."""
    return sum(chance.random() < rate for _ in range(of))


def live_minute(recorder: Recorder, chance: Random, trouble: str) -> float:
    """Live through a minute in which something begins; gives when it was taken back, 0 if never."""
    begins, share = chance.randrange(5, 40), chance.choice([0.05, 0.2, 0.6])
    noticed = 0.0
    for second in range(59):
        rates = dict.fromkeys(("failing", "slow", "wrong"), share if second >= begins else 0.0)
        rates = {name: rate if trouble in (name, "all") else 0.0 for name, rate in rates.items()}
        served = 0 if noticed else chance.randrange(5, 15)
        bad = some(chance, served, max(rates["failing"], 0.003))
        late = some(chance, served - bad, max(rates["slow"], 0.02))
        differ = 0 if noticed else some(chance, 95, rates["wrong"])
        pairs = (PairKind.MISMATCH, PairKind.MODERN_FAILED) * (differ // 2)
        recorder.second(modern=(served - bad, bad), slow=late, pairs=pairs)
        noticed = noticed or (recorder.now if recorder.detector else 0.0)
    return noticed


@pytest.mark.parametrize("trouble", ["failing", "slow", "wrong", "all", "none"])
def test_a_rollback_is_played_if_and_only_if_there_was_one(trouble: str) -> None:
    """Whatever happens in a minute, with some chance of everything, at about the same moment."""
    policy = PRICES.replace("error_rate: 5%", "error_rate: 2%")
    for seed in range(8):
        recorder = Recorder(policy)
        noticed = live_minute(recorder, Random(f"{trouble} {seed}"), trouble)
        moves = play([recorder.recorded()], policy).moves
        assert [each.action for each in moves] == ["rollback"] * bool(noticed)
        assert all(each.at - START == pytest.approx(noticed, abs=5.0) for each in moves)
