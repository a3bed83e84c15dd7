from __future__ import annotations

from typing import Any

import pytest

from proxy.errors import RulesError
from proxy.routing.read_back import ReadBackRules
from tests.support_routing import route, rules

PATH = "/api/orders/{id}"


def read_back(said: dict[str, Any], path: str = PATH) -> ReadBackRules | None:
    """Read what a route with this path reads back."""
    return rules(route(path, mirror={"read_back": said})).routes[0].mirror.read_back


def test_a_path_is_enough_when_the_write_has_the_id() -> None:
    """In a second first, for ten seconds."""
    assert read_back({"path": "/o/{id}?full=1"}) == ReadBackRules("/o/{id}?full=1", (), 1.0, 10.0)
    assert rules(route(PATH)).routes[0].mirror.read_back is None


def test_what_the_path_has_not_the_answer_has() -> None:
    """At a place that is one place."""
    said = {"path": "/o/{n}", "ids": {"n": "$.data[0].id"}, "after": "0ms", "within": "5m"}
    assert read_back(said) == ReadBackRules("/o/{n}", (("n", "$.data[0].id"),), 0.0, 300.0)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "`path` is missing"),
        ({"path": "orders"}, "is not a path with a query"),
        ({"path": "/o/{ID}"}, "is not a path with a query"),
        ({"path": "/o 1"}, "is not a path with a query"),
        ({"path": "/o/{n}"}, "nobody says what {n} is"),
        ({"path": "/o", "ids": {"n": "$.data[*].id"}}, "is not a place in the answer"),
        ({"path": "/o", "ids": {"n": "$"}}, "is not a place in the answer"),
        ({"path": "/o", "ids": {"n": "html.a"}}, "is not a place in the answer"),
        ({"path": "/o", "within": "11m"}, "must be at most 600s"),
        ({"path": "/o", "after": "20s"}, "`after` lies beyond `within`"),
    ],
)
def test_what_cannot_be_read_is_refused(said: dict[str, Any], words: str) -> None:
    """With the place and a suggestion."""
    with pytest.raises(RulesError) as caught:
        read_back(said)
    assert words in str(caught.value)


def test_what_is_inherited_must_fit_the_route() -> None:
    """A route whose path has no such segment says so."""
    defaults = {"mirror": {"read_back": {"path": "/o/{id}"}}}
    with pytest.raises(RulesError, match=r"nobody says what \{id\} is"):
        rules(route("/other"), defaults=defaults)
