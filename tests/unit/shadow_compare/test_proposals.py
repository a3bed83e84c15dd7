from __future__ import annotations

import pytest

from shadow_compare import evidence as of
from shadow_compare.evidence import NOWHERE
from shadow_compare.noise import Place
from shadow_compare.proposals import Proposal, names_of, propose

VALUE = Place("value", "$.v")


def of_place(place: Place = VALUE, /, **counts: int) -> list[Proposal]:
    """Propose from the counts of one place, on a route with 100 baselines and 1,000 compared."""
    found = propose("plans", place, counts, {of.BASELINES: 100, of.COMPARED: 1_000})
    return [] if found is None else [found]


def test_a_place_that_differs_from_itself_is_to_be_ignored() -> None:
    """With the rate, its bounds, and a sentence for the person who decides."""
    (found,) = of_place(disagreed=40)
    assert (found.section, found.path) == ("ignore", "$.v")
    assert found.value == {"path": "$.v", "reason": f"noise: {found.why}"}
    assert found.why == (
        "of 100 answers that were asked for twice 40 differed from themselves here (30.8% to 49.8%)"
    )
    assert found.evidence["rate"] == 0.4
    assert found.evidence["rate_low"] == pytest.approx(0.308, abs=1e-3)


def test_times_that_are_near_each_other_are_to_be_tolerated() -> None:
    """A clock needs no ignore rule, which would hide a shift by an hour, too."""
    (found,) = of_place(disagreed=40, near=40)
    assert (found.section, found.value) == ("tolerances", {"$.v": {"time": "60s"}})
    assert of_place(disagreed=40, near=39)[0].section == "ignore"


def test_an_equivalence_that_explains_everything_is_proposed() -> None:
    """All differences, not most of them; the first of several."""
    (found,) = of_place(differed=5, looked_at=5, number_as_string=5, trailing_zero=5)
    assert found.section == "equivalences"
    assert found.value == {"name": "number_as_string", "at": ["$.v"]}
    assert found.evidence == {"compared": 1_000, "differed": 5, "looked_at": 5}
    assert of_place(differed=5, looked_at=5, number_as_string=4) == []


def test_names_that_keep_to_their_partners_correspond() -> None:
    """Two pairs that met again, and none that took another partner."""
    (found,) = of_place(looked_at=9, new_pair=5, same_pair=4)
    assert (found.section, found.value) == ("correspond", {"path": "$.v"})
    assert of_place(looked_at=9, new_pair=5, same_pair=3, other_pair=1) == []
    assert of_place(looked_at=9, new_pair=9) == []
    assert of_place(looked_at=9, new_pair=1, same_pair=8) == []
    assert of_place(looked_at=10, new_pair=5, same_pair=4) == []


@pytest.mark.parametrize(
    "counts",
    [{"disagreed": 2}, {"looked_at": 2, "int_bool": 2}, {"differed": 100}, {"looked_at": 100}],
)
def test_little_evidence_proposes_nothing(counts: dict[str, int]) -> None:
    """A write in between, or a difference that nothing explains, is no reason for a rule."""
    assert of_place(**counts) == []


def test_status_is_never_proposed() -> None:
    """Nobody is invited to overlook that an answer failed."""
    assert of_place(Place("value", "status 200 -> 500"), disagreed=50) == []


@pytest.mark.parametrize(
    "counts",
    [
        {"disagreed": 9},
        {"disagreed": 9, "near": 9},
        {"looked_at": 9, "int_bool": 9},
        {"looked_at": 9, "new_pair": 5, "same_pair": 4},
    ],
)
def test_a_proposal_is_called_as_its_place_says_that_it_may_be(counts: dict[str, int]) -> None:
    """So that it is found by its name without building all that there are."""
    (found,) = of_place(**counts)
    assert found.id in names_of("plans", "$.v")
    assert found.id not in names_of("plans", "$.w") | names_of("users", "$.v")


def test_the_route_as_a_whole_proposes_nothing() -> None:
    """Its counts are what rates are parts of."""
    assert of_place(NOWHERE, disagreed=9) == []


def test_every_value_is_one_that_the_rules_take() -> None:
    """What is proposed can be written into a rules file as it stands."""
    from proxy.routing.schema import rules_from_plain
    from tests.support_routing import plain, route

    counts = [{"disagreed": 9}, {"disagreed": 9, "near": 9}, {"looked_at": 3, "php_datetime": 3},
              {"looked_at": 9, "new_pair": 5, "same_pair": 4}]  # fmt: skip
    for (found,) in (of_place(**each) for each in counts):
        value = found.value if found.section == "tolerances" else [found.value]
        rules = rules_from_plain(plain(route("/a", "plans", compare={found.section: value})))
        assert getattr(rules.routes[0].compare, found.section)
