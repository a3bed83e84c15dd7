from __future__ import annotations

from typing import Any

import pytest

from proxy.errors import RulesError
from proxy.routing.rules import Cohort, Rules
from proxy.routing.side import Side
from tests.support_routing import route, rules

STAFF = {"id": "staff", "side": "modern", "source": "header:X-Group", "values": ["staff", "qa"]}


def read(*cohorts: Any, **others: Any) -> Rules:
    """Read rules of two routes with these cohorts."""
    routes = (route("/users/{id}", "user"), route("/*", "rest"))
    return rules(*routes, cohorts=list(cohorts), **others)


def test_a_cohort_is_read_and_given_to_its_routes() -> None:
    """Names of fields have no case; a cohort without routes is on all of them, in order."""
    found = read({**STAFF, "routes": ["user"], "reason": "first"}, {**STAFF, "id": "all"})
    staff = Cohort("staff", Side.MODERN, "header:x-group", ("staff", "qa"), "first", ("user",))
    everywhere = Cohort("all", Side.MODERN, "header:x-group", ("staff", "qa"))
    assert found.cohorts == (staff, everywhere)
    user, rest = found.routes
    assert (user.cohorts, rest.cohorts) == ((staff, everywhere), (everywhere,))


def test_without_cohorts_a_route_has_none() -> None:
    """As most documents are."""
    assert [each.cohorts for each in read().routes] == [(), ()]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source": "client_ip"}, "must be one of cookie:NAME, header:NAME, jwt:NAME, path:NAME"),
        ({"source": "header:"}, "must be one of"),
        ({"source": "path:id"}, "`/*` has no parameter {id}"),
        ({"values": []}, "nobody belongs to a cohort without values"),
        ({"routes": ["nowhere"]}, "there is no such route"),
        ({"side": "both"}, "legacy"),
        ({"id": "a b"}, "cohort's id"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_told(changes: dict[str, Any], words: str) -> None:
    """With what would be right."""
    with pytest.raises(RulesError) as raised:
        read({**STAFF, **changes})
    assert words in str(raised.value)


def test_two_of_one_name_are_refused() -> None:
    """The name is what the log and the console call it."""
    with pytest.raises(RulesError, match="cohort `staff` is defined twice"):
        read(STAFF, STAFF)


def test_a_parameter_of_the_named_route_will_do() -> None:
    """Where the routes are named that have it."""
    found = read({**STAFF, "source": "path:id", "values": ["17"], "routes": ["user"]})
    assert found.routes[0].cohorts[0].source == "path:id"
