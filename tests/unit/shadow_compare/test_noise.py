from __future__ import annotations

import random
from datetime import date

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare import noise as module
from shadow_compare.compare import compare, compare_json
from shadow_compare.json_value import Json
from shadow_compare.noise import LEARNING, PLACES_MAX, Place, RouteNoise, Seen
from shadow_compare.normalize import Answer
from shadow_compare.rules import CompareRules
from shadow_compare.verdict import Comparison, Verdict

TODAY = date(2026, 12, 1)
EXACT = CompareRules()
PRICE = CompareRules.build(critical=["$.price"])


def between(old: Json, new: Json, rules: CompareRules = EXACT) -> Comparison:
    """Compare two JSON answers."""
    return compare_json(orjson.dumps(old), orjson.dumps(new), rules, TODAY)


class Route:
    """One route as a script: what the primary says twice, and what the candidate says."""

    def __init__(self, rules: CompareRules = EXACT) -> None:
        self.noise = RouteNoise()
        self.rules = rules

    def twice(self, old: Json, new: Json, times: int = 1) -> None:
        """Take in two answers of the primary's side."""
        for _ in range(times):
            self.noise.hear_baseline(between(old, new, self.rules), self.rules)

    def judge(self, old: Json, new: Json) -> Comparison:
        """Judge a candidate."""
        comparison = between(old, new, self.rules)
        return self.noise.judge(comparison, self.rules, primary_is_old=True)


def test_what_always_differs_is_noise() -> None:
    """A counter that no two answers share is excused, counted, and told apart."""
    route = Route()
    route.twice({"n": 1, "a": 1}, {"n": 2, "a": 1}, LEARNING)
    judged = route.judge({"n": 3, "a": 1}, {"n": 9, "a": 1})
    assert (judged.verdict, judged.reason) == (Verdict.IGNORED, "noise")
    assert judged.fired == (("noise:$.n", 1),)
    assert (judged.places, judged.differences) == ((), ())
    assert [each.place for each in judged.ignored] == ["$.n"]


def test_what_is_no_noise_is_all_that_is_told() -> None:
    """A real difference beside noise is the only one that names the signature."""
    route = Route()
    route.twice({"n": 1, "a": 1}, {"n": 2, "a": 1}, LEARNING)
    judged = route.judge({"n": 3, "a": 1}, {"n": 9, "a": 2})
    assert judged.verdict is Verdict.MISMATCH
    assert judged.places == (("value_changed", "$.a"),)
    assert [each.place for each in judged.differences] == ["$.a"]


def test_nothing_is_noise_before_it_was_seen() -> None:
    """Where the primary has agreed with itself every difference counts."""
    route = Route()
    route.twice({"n": 1}, {"n": 1}, 100)
    assert route.judge({"n": 1}, {"n": 2}).verdict is Verdict.MISMATCH


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"n": 5}, {}),
        ({"n": 5}, {"n": "5"}),
        ({"n": 5}, {"n": None}),
        ({"n": 5}, {"n": 6, "m": 1}),
    ],
)
def test_noise_of_values_excuses_nothing_else(old: Json, new: Json) -> None:
    """A field that varies may not go missing, change its type, or hide what is new."""
    route = Route()
    route.twice({"n": 1}, {"n": 2}, LEARNING)
    assert route.judge(old, new).verdict is Verdict.MISMATCH


def test_field_that_comes_and_goes_may_be_missing_on_either_side() -> None:
    """Which of two answers of one side lacks a member is chance."""
    route = Route()
    route.twice({"promo": 1}, {}, LEARNING)
    assert route.judge({"promo": 1}, {}).reason == "noise"
    assert route.judge({}, {"promo": 1}).reason == "noise"


def test_noise_has_a_shape() -> None:
    """A time that is an hour off is no noise, however often the seconds differ."""
    route = Route()
    route.twice({"at": "2026-12-01 10:00:00"}, {"at": "2026-12-01 10:00:01"}, LEARNING)
    near = route.judge({"at": "2026-12-01 10:05:00"}, {"at": "2026-12-01T10:05:02Z"})
    assert near.reason == "noise"
    shifted = route.judge({"at": "2026-12-01 10:05:00"}, {"at": "2026-12-01 11:05:00"})
    assert shifted.places == (("value_changed", "$.at"),)


def test_one_strange_element_is_enough() -> None:
    """Of a thousand rows at one noisy place none may look otherwise."""
    route = Route()
    rows = [[{"id": i, "t": f"{i * k:08x}"} for i in range(1, 4)] for k in (1, 2)]
    route.twice(rows[0], rows[1], LEARNING)
    strange = [{"id": 1, "t": "00000009"}, {"id": 2, "t": "0000000a"}, {"id": 3, "t": "error"}]
    assert route.judge(rows[0], strange).verdict is Verdict.MISMATCH
    assert route.judge(rows[0], rows[1]).reason == "noise"


def test_critical_places_are_never_noise() -> None:
    """A price that varies is for a person to look at."""
    route = Route(PRICE)
    route.twice({"price": 1}, {"price": 2}, LEARNING)
    judged = route.judge({"price": 1}, {"price": 2})
    assert judged.verdict is Verdict.MISMATCH
    assert judged.critical


def test_status_is_never_noise() -> None:
    """An answer of another status teaches nothing and is excused by nothing."""
    noise, json = RouteNoise(), (("content-type", "application/json"),)
    fine, broken = Answer(200, json, b"{}"), Answer(500, json, b"{}")
    comparison = compare(fine, broken, EXACT, TODAY)
    for _ in range(LEARNING):
        noise.hear_baseline(comparison, EXACT)
    assert noise.is_learning
    assert noise.judge(comparison, EXACT, primary_is_old=True) == comparison


def test_sides_are_told_apart() -> None:
    """When modern is the primary, it is legacy's value that must look like modern's."""
    noise = RouteNoise()
    for _ in range(LEARNING):
        noise.hear_baseline(between({"t": "aaaaaaaa"}, {"t": "bbbbbbbb"}), EXACT)
    comparison = between({"t": "not like that"}, {"t": "cccccccc"})
    assert noise.excuse(comparison, EXACT, primary_is_old=False).verdict is Verdict.MISMATCH
    assert noise.excuse(comparison, EXACT, primary_is_old=True).reason == "noise"


def drawn(route: Route, chance: random.Random, rate: float, requests: int) -> list[bool]:
    """Let a candidate differ at a rate, with a baseline for each 20th; tell what was noise."""
    excused: list[bool] = []
    for number in range(requests):
        if number % 20 == 0:
            route.twice({"v": 1}, {"v": 2 if chance.random() < 0.1 else 1})
        differs = chance.random() < rate
        judged = route.judge({"v": 1}, {"v": 2 if differs else 1})
        if differs:
            excused.append(judged.reason == "noise")
    return excused


def test_candidate_as_noisy_as_the_primary_is_excused() -> None:
    """At equal rates hardly any difference counts, over ten thousand requests."""
    route, chance = Route(), random.Random(4)
    route.twice({"v": 1}, {"v": 2}, 3)
    route.twice({"v": 1}, {"v": 1}, 27)
    excused = drawn(route, chance, 0.1, 10_000)
    assert excused.count(False) / len(excused) < 0.01


def test_regression_in_a_noisy_field_shows() -> None:
    """When one in ten becomes one in two, it shows within some two hundred requests."""
    route, chance = Route(), random.Random(5)
    route.twice({"v": 1}, {"v": 2}, 3)
    route.twice({"v": 1}, {"v": 1}, 27)
    drawn(route, chance, 0.1, 5_000)
    excused = drawn(route, chance, 0.5, 1_000)
    shown = excused.index(False)
    assert shown < 150
    assert not any(excused[shown + 20 :])


def test_field_that_is_wrong_in_every_answer_shows_at_once() -> None:
    """Three answers are enough to tell always from seldom."""
    route = Route()
    route.twice({"v": 1}, {"v": 2}, 1)
    route.twice({"v": 1}, {"v": 1}, 59)
    verdicts = [route.judge({"v": 1}, {"v": 2}).verdict for _ in range(10)]
    assert verdicts[5:] == [Verdict.MISMATCH] * 5


def test_what_is_known_fades() -> None:
    """A field that has stopped varying is compared again."""
    route = Route()
    route.twice({"v": 1}, {"v": 2}, LEARNING)
    assert route.judge({"v": 1}, {"v": 2}).reason == "noise"
    route.twice({"v": 1}, {"v": 1}, 7_000)
    assert list(route.noise.seen()) == []
    assert route.judge({"v": 1}, {"v": 2}).verdict is Verdict.MISMATCH


def test_memory_is_bounded() -> None:
    """Answers that vary everywhere fill what there is and no more; the rest counts."""
    route = Route()
    answers = [{f"f{i}": side for i in range(2 * PLACES_MAX)} for side in (1, 2)]
    route.twice(answers[0], answers[1], LEARNING)
    assert len(list(route.noise.seen())) == PLACES_MAX
    assert route.judge(answers[0], answers[1]).verdict is Verdict.MISMATCH


def test_counts_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a route runs, its counts stay below their limits."""
    monkeypatch.setattr(module, "COMPARED_MAX", 50)
    monkeypatch.setattr(module, "BASELINES_MAX", 50)
    route = Route()
    for _ in range(500):
        route.twice({"v": 1}, {"v": 2})
        route.judge({"v": 1}, {"v": 2})
    ((place, seen, _),) = route.noise.seen()
    assert place == Place("value", "$.v")
    assert 20 <= seen.disagreed <= seen.baselines <= 50
    assert 20 <= seen.differed <= seen.compared <= 50


_SEEN = st.builds(Seen, *(st.integers(0, 10**6).map(float) for _ in range(4)))


@given(_SEEN, _SEEN, _SEEN)
def test_what_workers_saw_adds_up_in_any_order(one: Seen, other: Seen, third: Seen) -> None:
    """Sums are associative and commutative, with nothing as their zero."""
    assert one.plus(other) == other.plus(one)
    assert one.plus(other).plus(third) == one.plus(other.plus(third))
    assert one.plus(Seen()) == one


_ANSWERS = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x", "2026-12-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)
_EVENTS = st.lists(st.tuples(st.booleans(), _ANSWERS, _ANSWERS), max_size=30)


@given(_EVENTS)
def test_excusing_only_ever_moves_differences(events: list[tuple[bool, Json, Json]]) -> None:
    """Whatever comes, a judged comparison holds what it held before, each thing once."""
    noise = RouteNoise()
    for is_baseline, old, new in events:
        comparison = between(old, new)
        if is_baseline:
            noise.hear_baseline(comparison, EXACT)
            continue
        judged = noise.judge(comparison, EXACT, primary_is_old=True)
        assert set(judged.places) <= set(comparison.places)
        assert len(judged.differences) + len(judged.ignored) == len(comparison.differences)
        assert (judged.verdict is Verdict.MISMATCH) == bool(judged.places)
        assert judged.verdict is not Verdict.MATCH or not comparison.places


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 60))
def test_more_noise_excuses_no_less(fewer: int, more: int, differing: int) -> None:
    """What is excused at a rate of noise is excused at a higher one."""

    def excuses(disagreed: int) -> bool:
        route = Route()
        route.twice({"v": 1}, {"v": 2}, disagreed)
        route.twice({"v": 1}, {"v": 1}, 60 - disagreed)
        verdicts = [route.judge({"v": 1}, {"v": 2}).verdict for _ in range(differing)]
        return verdicts[-1] is Verdict.IGNORED

    low, high = sorted((fewer, more))
    if excuses(low):
        assert excuses(high)
