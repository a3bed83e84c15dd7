import json

import pytest
from starlette.requests import Request

from modern.errors import Conflict, Invalid, NotFound, Refusal
from modern.infra.problem import problem, refusal_problem

REQUEST = Request(
    {
        "type": "http",
        "method": "GET",
        "path": "/v1/plans/99",
        "query_string": b"",
        "headers": [],
        "state": {"request_id": "abc"},
    }
)


def test_a_problem_says_what_where_and_for_which_request() -> None:
    """The members of RFC 9457, and the id that finds the request in the log."""
    response = problem(REQUEST, 404, "Plan not found")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert json.loads(bytes(response.body)) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Plan not found",
        "instance": "/v1/plans/99",
        "request_id": "abc",
    }


def test_a_problem_without_detail_has_none() -> None:
    """What is not known is left out."""
    assert "detail" not in json.loads(bytes(problem(REQUEST, 500).body))


@pytest.mark.parametrize(
    ("refusal", "status", "detail"),
    [
        (NotFound("Plan"), 404, "Plan not found"),
        (Conflict("Already cancelled"), 409, "Already cancelled"),
        (Invalid({"name": "required"}), 422, "Validation failed"),
    ],
)
def test_a_refusal_has_the_status_of_its_kind(refusal: Refusal, status: int, detail: str) -> None:
    """The clean API means its status codes."""
    response = refusal_problem(REQUEST, refusal)
    assert response.status_code == status
    assert json.loads(bytes(response.body))["detail"] == detail


def test_wrong_fields_are_listed() -> None:
    """Each field with what is wrong with it."""
    response = refusal_problem(REQUEST, Invalid({"name": "required", "country": "invalid"}))
    assert json.loads(bytes(response.body))["errors"] == [
        {"field": "name", "detail": "required"},
        {"field": "country", "detail": "invalid"},
    ]
