from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from proxy.routing.decision import Decision, Reason
from proxy.routing.side import Side
from proxy.routing.table import Route, Table
from tests.support_routing import route, rules

LEGACY, MODERN = Side.LEGACY, Side.MODERN
PINNED = b"client_ip=203.0.113.7"  # bucket 2797
FREE = b"client_ip=127.0.0.1"  # bucket 6715


def compiled(weight: str, rolled_back: bool = False, kill: bool = False, **others: Any) -> Route:
    """Compile one route of this weight."""
    table = Table(
        rules(route(weight=weight), **others), frozenset({"all"} if rolled_back else ()), kill
    )
    return table.routes[0]


def staff(**others: Any) -> dict[str, Any]:
    """Give a cohort by a header."""
    cohort = {"id": "staff", "side": "modern", "source": "header:X-Group", "values": ["staff"]}
    return cohort | others


ANY_SIDE = (LEGACY, MODERN, None)
SITUATIONS = list(
    product(
        (True, False),
        ANY_SIDE,
        ANY_SIDE,
        (True, False),
        ANY_SIDE,
        ("0%", "20%", "30%", "100%"),
    )
)


@pytest.mark.parametrize(("kill", "override", "pin", "rolled_back", "cohort", "weight"), SITUATIONS)
def test_the_first_of_the_reasons_decides(
    kill: bool,
    override: Side | None,
    pin: Side | None,
    rolled_back: bool,
    cohort: Side | None,
    weight: str,
) -> None:
    """Kill switch, override, pin, rollback, cohort, then weight: whatever else is said."""
    pins = [{"identity": PINNED.decode(), "side": pin.value}] if pin else []
    cohorts = [staff(side=cohort.value)] if cohort else []
    found = compiled(weight, rolled_back, kill, pins=pins, cohorts=cohorts)
    decision = found.decide(PINNED, override, found.rules.cohorts[0] if cohort else None)
    if kill:
        assert decision == Decision(LEGACY, Reason.KILL_SWITCH)
    elif override is not None:
        assert decision == Decision(override, Reason.OVERRIDE)
    elif pin is not None:
        assert decision == Decision(pin, Reason.PIN)
    elif rolled_back:
        assert decision == Decision(LEGACY, Reason.ROLLED_BACK)
    elif cohort is not None:
        assert decision == Decision(cohort, Reason.COHORT)
    elif weight in ("0%", "100%"):
        assert decision == Decision(MODERN if weight == "100%" else LEGACY, Reason.WEIGHT)
    else:
        side = MODERN if weight == "30%" else LEGACY
        assert decision == Decision(side, Reason.BUCKET, 2797)


@pytest.mark.parametrize(
    ("weight", "side"),
    [("27.97%", LEGACY), ("27.98%", MODERN), ("0.01%", LEGACY), ("99.99%", MODERN)],
)
def test_the_bucket_decides_exactly_at_the_weight(weight: str, side: Side) -> None:
    """Bucket 2797 moves when the weight passes 27.97%, to the hundredth of a percent."""
    assert compiled(weight).decide(PINNED) == Decision(side, Reason.BUCKET, 2797)


def test_a_pin_holds_nobody_else() -> None:
    """Pins name an identity exactly."""
    pins = [{"identity": PINNED.decode(), "side": "modern"}]
    found = compiled("50%", pins=pins)
    assert found.decide(FREE) == Decision(LEGACY, Reason.BUCKET, 6715)
    assert found.decide(PINNED + b"0").reason is Reason.BUCKET


def test_a_pin_of_some_routes_leaves_the_others() -> None:
    """Somebody may be held back on one route only."""
    pins = [{"identity": PINNED.decode(), "side": "modern", "routes": ["a"]}]
    one, other = Table(rules(route("/a", "a"), route("/b", "b"), pins=pins)).routes
    assert one.decide(PINNED) == Decision(MODERN, Reason.PIN)
    assert other.decide(PINNED) == Decision(LEGACY, Reason.WEIGHT)


def test_a_pin_matches_however_its_header_is_spelled() -> None:
    """Names of fields have no case, in rules as on the wire."""
    pins = [{"identity": "header:X-Customer=17", "side": "modern"}]
    found = compiled("0%", pins=pins)
    assert found.decide(b"header:x-customer=17") == Decision(MODERN, Reason.PIN)


def test_the_same_users_move_first_on_every_route() -> None:
    """One salt for the whole file."""
    one, other = Table(rules(route("/a", "a", weight="50%"), route("/b", "b", weight="50%"))).routes
    identities = [b"client_ip=10.0.0.%d" % i for i in range(200)]
    assert [one.decide(i) for i in identities] == [other.decide(i) for i in identities]


def test_another_salt_moves_other_users() -> None:
    """So that two installations do not always try the same people."""
    one, other = compiled("50%"), compiled("50%", salt="other")
    identities = [b"client_ip=10.0.0.%d" % i for i in range(200)]
    assert [one.decide(i) for i in identities] != [other.decide(i) for i in identities]


@pytest.mark.parametrize(("rolled_back", "kill"), [(True, False), (False, True), (True, True)])
def test_a_route_taken_back_has_no_weight(rolled_back: bool, kill: bool) -> None:
    """What is shown as in force is what is in force."""
    assert compiled("60%", rolled_back, kill).weight == 0
    assert compiled("60%").weight == 6000
