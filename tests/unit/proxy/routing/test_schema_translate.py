from __future__ import annotations

from typing import Any

import pytest

from proxy.errors import RulesError
from proxy.routing.compare_rules import TranslateRule
from proxy.routing.schema_translate import AS_IS, SKIP
from shadow_compare.translate import Translation
from tests.support_routing import route, rules

PATH = "/api/users/{id}"
PLACES = ["path.id", "query.user_id", "query.ids[]", "form.user[id]", "$", "$.a['b c'][*].*.id[0]"]


def translate(*said: dict[str, Any], learnt: str = "user") -> tuple[TranslateRule, ...]:
    """Read what is translated in the requests of a route."""
    correspond = [{"path": "$.id", "as": learnt}]
    written = route(PATH, compare={"correspond": correspond, "translate": list(said)})
    return rules(written).routes[0].compare.translate


def test_a_place_and_what_is_named_there() -> None:
    """A name that nobody knows is not compared, unless it is to be sent as it is."""
    found = translate(
        {"at": "path.id", "as": "user"},
        {"at": "query.by", "as": "user", "unknown": SKIP},
        {"at": "$.by", "as": "user", "unknown": AS_IS},
    )
    assert found == (
        TranslateRule("path.id", "user"),
        TranslateRule("query.by", "user"),
        TranslateRule("$.by", "user", as_is=True),
    )
    assert [each.parameter for each in found] == ["id", "", ""]


@pytest.mark.parametrize("at", PLACES)
def test_what_the_rules_take_the_shadow_worker_understands(at: str) -> None:
    """One grammar in two packages."""
    assert translate({"at": at, "as": "user"})[0].at == Translation.build(at, "u", segment=0).at


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"at": "path.id"}, "`as` is missing"),
        ({"as": "user"}, "`at` is missing"),
        ({"at": "id", "as": "user"}, "is not a place in a request"),
        ({"at": "headers.x", "as": "user"}, "is not a place in a request"),
        ({"at": "path.id", "as": "a b"}, "what is translated is made of letters"),
        ({"at": "path.id", "as": "user", "unknown": "send"}, "must be one of skip, as_is"),
        ({"at": "path.user", "as": "user"}, "the path of this route no `{user}`"),
        ({"at": "path.id", "as": "usr"}, "names of `usr`, which no route learns"),
    ],
)
def test_what_cannot_work_is_refused(said: dict[str, Any], words: str) -> None:
    """Also a name that nobody could ever learn: nothing would ever be compared."""
    with pytest.raises(RulesError) as caught:
        translate(said)
    assert words in str(caught.value)


def test_another_route_may_teach() -> None:
    """Names are shared by all routes."""
    lists = route("/api/users", id="list", compare={"correspond": [{"path": "$.id", "as": "user"}]})
    one = route(PATH, id="one", compare={"translate": [{"at": "path.id", "as": "user"}]})
    assert len(rules(lists, one).routes) == 2
