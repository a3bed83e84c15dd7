from __future__ import annotations

import pytest

from proxy.control.edit import spelled, with_weight
from proxy.control.loaded import LoadedRules
from proxy.errors import RefusedError
from proxy.routing.schema import load_rules
from tests.support_control import RULES

HEAD = """\
version: 1
upstreams: {legacy: {instances: ["http://a:1"]}, modern: {instances: ["http://a:2"]}}
routes:
"""


def changed(text: str, route_id: str, weight: int) -> str:
    """Give the text with a weight changed."""
    before = LoadedRules(text, *load_rules(text, "rules"))
    return with_weight(before, route_id, weight, "rules").text


def weights(text: str) -> dict[str, int]:
    """Read the weights of a document."""
    return {route.id: route.weight for route in load_rules(text, "rules")[1].routes}


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (
            "- id: a\n  match: {path: /a}\n  weight: 10%   # see ticket\n",
            "- id: a\n  match: {path: /a}\n  weight: 25%   # see ticket\n",
        ),
        (
            '- {match: {path: /a}, id: a, weight: "10%"}\n',
            "- {match: {path: /a}, id: a, weight: 25%}\n",
        ),
        (
            "- {id: a, match: {path: /a}}\n",
            "- {id: a, weight: 25%, match: {path: /a}}\n",
        ),
        (
            "  -   id: a   # the first\n      match: {path: /a}\n",
            "  -   id: a   # the first\n      weight: 25%\n      match: {path: /a}\n",
        ),
        (
            "- match: {path: /a}\n  id: a",
            "- match: {path: /a}\n  id: a\n  weight: 25%",
        ),
        (
            "# größer ☃\n- id: g\n  match: {path: /g}\n  weight: 1%\n- id: a\n  match: {path: /a}\n"
            "  weight: 0%\n",
            "# größer ☃\n- id: g\n  match: {path: /g}\n  weight: 1%\n- id: a\n  match: {path: /a}\n"
            "  weight: 25%\n",
        ),
    ],
)
def test_only_the_weight_changes(routes: str, expected: str) -> None:
    """Whatever the style, the weight is put where it belongs and nothing else is touched."""
    assert changed(HEAD + routes, "a", 2500) == HEAD + expected


def test_windows_line_ends_stay() -> None:
    """A file with CRLF keeps it, also on the line that is added."""
    text = (HEAD + "- id: a\n  match: {path: /a}\n").replace("\n", "\r\n")
    edited = changed(text, "a", 2500)
    assert edited.count("\r\n") == edited.count("\n") == text.count("\n") + 1
    assert weights(edited) == {"a": 2500}


@pytest.mark.parametrize("weight", [0, 1, 10, 1250, 9999, 10_000])
def test_every_weight_reads_back(weight: int) -> None:
    """Weights down to a hundredth of a percent survive the way through the file."""
    assert weights(changed(RULES, "plans", weight))["plans"] == weight


@pytest.mark.parametrize(("weight", "text"), [(1000, "10%"), (1250, "12.5%"), (1, "0.01%")])
def test_spelling(weight: int, text: str) -> None:
    """Weights are spelled as people write them."""
    assert spelled(weight) == text


def test_shared_weight_is_refused() -> None:
    """A weight shared by two routes cannot be changed for one of them."""
    text = (
        HEAD
        + "- {id: a, match: {path: /a}, weight: &w 5%}\n- {id: b, match: {path: /b}, weight: *w}\n"
    )
    with pytest.raises(RefusedError, match="edit the file by hand"):
        changed(text, "b", 2500)


def test_unknown_route_is_refused() -> None:
    """A route that is not there cannot be changed."""
    with pytest.raises(RefusedError):
        changed(RULES, "nobody", 2500)
