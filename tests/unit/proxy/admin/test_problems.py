from __future__ import annotations

import pytest

from proxy.admin.problems import TITLES, Problem, ProblemError, no_route, problem_of
from proxy.errors import (
    ConflictError,
    CutoverError,
    ElsewhereError,
    NotFoundError,
    Position,
    RefusedError,
    RulesError,
    RulesProblem,
    UnwrittenError,
)

RULES_ERROR = RulesError((RulesProblem(Position("rules.yaml", 3, 5), "no", "x", "write y"),))


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (NotFoundError("no"), 404, "not-found"),
        (ConflictError("no"), 409, "conflict"),
        (RefusedError("no"), 409, "refused"),
        (RULES_ERROR, 422, "rules-refused"),
        (ElsewhereError("no", "web1", "http://web1"), 421, "elsewhere"),
        (UnwrittenError("no"), 503, "not-written"),
        (CutoverError("no"), 500, "internal"),
        (ProblemError(Problem(418, "busy", "no")), 418, "busy"),
    ],
)
def test_every_error_has_its_problem(error: CutoverError, status: int, kind: str) -> None:
    """Errors of the product keep their words on the way out."""
    problem = problem_of(error)
    assert (problem.status, problem.kind) == (status, kind)
    assert problem.kind in TITLES
    assert "no" in problem.detail


def test_refused_rules_say_where() -> None:
    """File, line and column of each problem are members of their own."""
    [found] = problem_of(RULES_ERROR).extra["problems"]
    assert found == {"where": "rules.yaml:3:5", "detail": "no", "mend": "write y"}


def test_a_problem_is_written_as_rfc_9457_says() -> None:
    """type, title, status, detail and instance, then what is our own."""
    plain = Problem(409, "refused", "Not now.", "Wait.", {"more": 1}).to_plain("/api/v1/x")
    assert plain == {
        "type": "urn:cutover:problem:refused",
        "title": "Not allowed in the present state",
        "status": 409,
        "detail": "Not now.",
        "instance": "/api/v1/x",
        "mend": "Wait.",
        "more": 1,
    }


def test_an_unknown_route_brings_the_nearest() -> None:
    """A slip of the finger is answered with what was probably meant."""
    assert no_route("plnas", ["plans", "users"]).mend == "Did you mean plans?"
    assert no_route("plnas", ["plans", "users"]).extra == {"suggestion": "plans"}
    assert no_route("zzz", ["plans", "users"]).mend == "Routes: plans, users"
    assert no_route("zzz", []).mend == "No routes are in force."
