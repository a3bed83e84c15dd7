from __future__ import annotations

import pytest

from proxy.errors import (
    ConflictError,
    CutoverError,
    NotFoundError,
    Position,
    RefusedError,
    RulesError,
    RulesProblem,
    SettingsError,
)

WHERE = Position("rules.yaml", 7, 3)


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (RulesProblem(WHERE, "is wrong"), "rules.yaml:7:3: is wrong"),
        (RulesProblem(WHERE, "is wrong", "x"), "rules.yaml:7:3: is wrong (found: x)"),
        (
            RulesProblem(WHERE, "is wrong", "x", "write y"),
            "rules.yaml:7:3: is wrong (found: x)\n    write y",
        ),
    ],
)
def test_a_problem_reads_as_editors_like_it(problem: RulesProblem, text: str) -> None:
    """File, line and column first, so that a click leads there; how to mend it last."""
    assert str(problem) == text


def test_refused_rules_list_everything_that_is_wrong() -> None:
    """One line each, and as values for whoever shows them otherwise."""
    problems = (RulesProblem(WHERE, "one"), RulesProblem(WHERE, "two"))
    error = RulesError(problems)
    assert str(error) == "rules.yaml:7:3: one\nrules.yaml:7:3: two"
    assert error.problems is problems


@pytest.mark.parametrize(
    "kind", [ConflictError, NotFoundError, RefusedError, SettingsError, RulesError]
)
def test_every_error_is_one_of_ours(kind: type[Exception]) -> None:
    """So that a command shows its text instead of a traceback."""
    assert issubclass(kind, CutoverError)
