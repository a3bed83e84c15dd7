# ruff: noqa: E501 - a row is a mistake and what is said of it: wrapped, it could not be read
from __future__ import annotations

import pytest

from proxy.errors import RulesError
from proxy.routing.compare_rules import (
    CompareRules,
    CorrespondRule,
    EquivalenceRule,
    ToleranceRule,
)
from proxy.routing.schema import load_rules

START = """\
version: 1
upstreams: {legacy: {instances: ["http://a:1"]}, modern: {instances: ["http://b:1"]}}
routes:
- id: all
  match: {path: /*}
"""


def compare(text: str) -> CompareRules:
    """Read `compare` of one route."""
    return load_rules(f"{START}  compare: {text}\n", "f.yaml")[1].routes[0].compare


def test_everything_is_read() -> None:
    """Places, bounds and names, as names alone or as mappings."""
    found = compare(
        "{equivalences: [int_bool, {name: float_precision, units: 100, at: [$.rates]}],"
        " tolerances: {$.score: {within: 0.01, relative: 0.5%, units: 4}, $.at: {time: 2s}, $.n: {within: 1}},"
        " correspond: [$.id, {path: '$.data[*].user_id', as: user}], noise: 5%, repeat: false}"
    )
    assert found == CompareRules(
        equivalences=(
            EquivalenceRule("int_bool"),
            EquivalenceRule("float_precision", ("$.rates",), 100),
        ),
        tolerances=(
            ToleranceRule("$.score", "0.01", 0.005, 4),
            ToleranceRule("$.at", time=2.0),
            ToleranceRule("$.n", "1"),
        ),
        correspond=(CorrespondRule("$.id"), CorrespondRule("$.data[*].user_id", "user")),
        noise=0.05,
        repeat=False,
    )


def test_noise_is_measured_unless_told_otherwise() -> None:
    """One in a hundred, and a mismatch is asked for again."""
    assert (compare("{}").noise, compare("{}").repeat) == (0.01, True)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("{equivalences: [int_bol]}", "6:28", "must be one of number_as_string"),
        ("{equivalences: [int_bol]}", "6:28", "did you mean `int_bool`?"),
        ("{equivalences: [{name: int_bool, units: 3}]}", "6:45", "only `float_precision` is measured in units"),
        ("{equivalences: [{at: [$.a]}]}", "6:28", "`name` is missing"),
        ("{equivalences: [{name: int_bool, at: [a]}]}", "6:50", "is not a path"),
        ("{tolerances: {score: {within: 1}}}", "6:26", "`score` is not a path"),
        ("{tolerances: {$.a: {}}}", "6:26", "says nothing"),
        ("{tolerances: {$.a: {with: 1}}}", "6:32", "did you mean `within`?"),
        ("{tolerances: {$.a: {within: -1}}}", "6:32", "must be a number from 0 on"),
        ("{tolerances: {$.a: {within: true}}}", "6:32", "must be a number from 0 on"),
        ("{tolerances: {$.a: {within: .inf}}}", "6:32", "must be a number from 0 on"),
        ("{tolerances: {$.a: {time: 2}}}", "6:32", "write `2s` if you mean seconds"),
        ("{tolerances: {$.a: {units: 0}}}", "6:32", "must be a whole number from 1"),
        ("{tolerances: [$.a]}", "6:13", "must be a mapping"),
        ("{correspond: [id]}", "6:26", "is not a path"),
        ("{correspond: [{as: user}]}", "6:26", "`path` is missing"),
        ("{correspond: [{path: $.id, as: 'a b'}]}", "6:39", "what corresponds is made of letters"),
        ("{correspond: {$.id: user}}", "6:13", "must be a list"),
        ("{noise: 0.01}", "6:13", "must be a share with its unit"),
        ("{repeat: maybe}", "6:13", "must be true or false"),
    ],
)  # fmt: skip
def test_mistakes_are_told_where_they_stand(text: str, where: str, what: str) -> None:
    """Each with line, column, what is wrong and what to write."""
    with pytest.raises(RulesError) as raised:
        compare(text)
    told = "\n".join(map(str, raised.value.problems))
    assert f"f.yaml:{where}: " in told
    assert what in told
