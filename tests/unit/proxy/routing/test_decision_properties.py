"""What holds of decisions whatever the rules are: weights, pins, the kill switch."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.decision import Reason
from proxy.routing.rules import WEIGHT_MAX, Match, Pin, RouteRules, Rules
from proxy.routing.side import Side
from proxy.routing.table import Route, Table
from proxy.routing.upstream_rules import UpstreamRules

SIDES = st.sampled_from(Side)
WEIGHTS = st.integers(0, WEIGHT_MAX)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
PINS = st.lists(st.builds(Pin, NAMES, SIDES), max_size=3)


@st.composite
def documents(draw: st.DrawFn) -> Rules:
    """Draw rules of one route, with a salt and pins of its own."""
    legacy, modern = (UpstreamRules(side, ("http://127.0.0.1:1",)) for side in Side)
    route = RouteRules("plans", Match("/*"), draw(WEIGHTS))
    return Rules(legacy, modern, (route,), salt=draw(NAMES), pins=tuple(draw(PINS)))


def at(rules: Rules, weight: int, *, killed: bool = False, rolled_back: bool = False) -> Route:
    """Compile the route at another weight."""
    changed = replace(rules, routes=(replace(rules.routes[0], weight=weight),))
    held = frozenset({"plans"}) if rolled_back else frozenset[str]()
    return Table(changed, held, killed).routes[0]


def on_modern(route: Route, identities: list[bytes]) -> set[bytes]:
    """Give those whom modern serves."""
    return {each for each in identities if route.decide(each).side is Side.MODERN}


@given(documents(), WEIGHTS, WEIGHTS, st.lists(st.binary(max_size=20), max_size=40))
def test_raising_a_weight_only_adds_identities_and_lowering_only_removes(
    rules: Rules, one: int, other: int, identities: list[bytes]
) -> None:
    """Pinned ones or not, by whichever salt; the same weight gives the same users."""
    low, high = sorted((one, other))
    identities += [pin.identity.encode() for pin in rules.pins]
    at_low = on_modern(at(rules, low), identities)
    assert at_low <= on_modern(at(rules, high), identities)
    assert at_low == on_modern(at(rules, low), identities)


@given(documents(), st.integers(1, WEIGHT_MAX - 1), st.binary(max_size=12))
def test_the_share_observed_is_within_the_binomial_bound(
    rules: Rules, weight: int, prefix: bytes
) -> None:
    """Of identities that differ in a number only: five standard deviations, and five for few."""
    number = 2000
    served = on_modern(at(rules, weight), [b"%b%d" % (prefix, i) for i in range(number)])
    share = weight / WEIGHT_MAX
    spread = sqrt(number * share * (1 - share))
    assert abs(len(served) - number * share) <= 5 * spread + 5


@given(documents(), WEIGHTS, st.none() | SIDES, st.binary(max_size=20), st.booleans())
def test_the_kill_switch_is_above_everything(
    rules: Rules, weight: int, override: Side | None, identity: bytes, rolled_back: bool
) -> None:
    """No pin, no override and no weight sends anybody to modern while it is on."""
    route = at(rules, weight, killed=True, rolled_back=rolled_back)
    for each in (identity, *(pin.identity.encode() for pin in rules.pins)):
        decision = route.decide(each, override)
        assert (decision.side, decision.reason) == (Side.LEGACY, Reason.KILL_SWITCH)


@given(documents(), WEIGHTS, st.none() | SIDES, st.booleans())
def test_a_pin_is_above_weight_and_rollback_and_below_an_override(
    rules: Rules, weight: int, override: Side | None, rolled_back: bool
) -> None:
    """Of two pins of one identity the last one counts."""
    route = at(rules, weight, rolled_back=rolled_back)
    for identity, side in {pin.identity: pin.side for pin in rules.pins}.items():
        decision = route.decide(identity.encode(), override)
        assert decision.side is (override or side)
        assert decision.reason is (Reason.OVERRIDE if override else Reason.PIN)


@given(documents(), WEIGHTS, st.binary(max_size=20))
def test_a_rollback_is_above_the_weight(rules: Rules, weight: int, identity: bytes) -> None:
    """Whoever is not pinned is served by legacy, at any weight."""
    decision = at(replace(rules, pins=()), weight, rolled_back=True).decide(identity)
    assert (decision.side, decision.reason) == (Side.LEGACY, Reason.ROLLED_BACK)
