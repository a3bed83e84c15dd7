from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.override import Refusal, read_override, write_override
from proxy.routing.side import Side

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
NOW = 1_790_000_000
LATER = NOW + 60
SIGNED = write_override(KEY, Side.MODERN, LATER)
ON_PLANS = write_override(KEY, Side.MODERN, LATER, "plans")


def read(value: str, *, trusted: bool = False, route: str = "plans", now: float = NOW) -> object:
    """Read a field as the data plane does."""
    return read_override(value.encode(), key=KEY, route=route, now=now, trusted=trusted)


@pytest.mark.parametrize("side", list(Side))
def test_a_trusted_peer_needs_no_token(side: Side) -> None:
    """Anybody else does."""
    assert read(side.value, trusted=True) is side
    assert read(side.value) is Refusal.UNSIGNED


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("side", list(Side))
def test_a_signed_field_counts_from_anywhere(side: Side, trusted: bool) -> None:
    """On every route, if it names none."""
    assert read(write_override(KEY, side, LATER), trusted=trusted) is side


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        (LATER - 0.001, Side.MODERN),
        (LATER, Refusal.EXPIRED),
        (LATER + 86_400, Refusal.EXPIRED),
    ],
)
def test_a_token_ends_with_its_time(now: float, outcome: object, trusted: bool) -> None:
    """To the moment, for a trusted peer too."""
    assert read(SIGNED, now=now, trusted=trusted) is outcome


def test_a_token_for_one_route_counts_on_no_other() -> None:
    """Nor does a token for all become one for a route by saying so."""
    assert read(ON_PLANS) is Side.MODERN
    assert read(ON_PLANS, route="plan") is Refusal.OTHER_ROUTE
    assert read(ON_PLANS.replace("route=plans; ", "")) is Refusal.FORGED
    assert read(SIGNED.replace("; ", "; route=plans; ")) is Refusal.FORGED


@pytest.mark.parametrize(
    "value",
    [
        SIGNED.replace("modern", "legacy"),
        SIGNED.replace(str(LATER), str(LATER + 1)),
        SIGNED[:-1] + ("0" if SIGNED[-1] != "0" else "1"),
        write_override(OTHER_KEY, Side.MODERN, LATER),
        write_override(OTHER_KEY, Side.MODERN, NOW - 1),
        ON_PLANS.replace("plans", "other"),
    ],
)
def test_a_token_that_says_something_else_is_forged(value: str) -> None:
    """Whatever was changed: side, time, route, signature, or the key that signed."""
    assert read(value, trusted=True) is Refusal.FORGED


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Modern",
        "both",
        "modern ",
        " modern",
        "modern;",
        "modern; token=",
        "modern; route=",
        "modern, legacy",
        SIGNED + " ",
        SIGNED + "; route=plans",
        SIGNED + SIGNED[-64:],
        SIGNED[:-1],
        SIGNED.upper(),
        SIGNED.replace("token=", "token=0"),
        SIGNED.replace("token=", "token=+"),
        SIGNED.replace("modern; ", "modern, "),
        SIGNED.replace("modern", "modern; route=a b"),
        SIGNED.replace("modern", f"modern; route={'x' * 101}"),
        SIGNED.replace(str(LATER), "9" * 13),
        "modern; token=" + "9" * 10_000,
        "modern\n",
        "modern\N{NO-BREAK SPACE}",
    ],
)
def test_what_is_no_such_field_counts_for_nothing(value: str) -> None:
    """From a trusted peer either."""
    assert read(value, trusted=True) is Refusal.MALFORMED


def test_without_a_key_nobody_can_sign() -> None:
    """An empty key would be everybody's."""
    value = write_override(b"", Side.MODERN, LATER).encode()
    outcome = read_override(value, key=b"", route="plans", now=NOW, trusted=True)
    assert outcome is Refusal.FORGED


def test_a_route_without_a_token_is_not_half_a_permission() -> None:
    """A trusted peer that names a route means a token, and brings none."""
    assert read("modern; route=plans", trusted=True) is Refusal.UNSIGNED


def test_the_signature_is_the_documented_one() -> None:
    """Another program can sign, too."""
    message = f"cutover-side\nmodern\nplans\n{LATER}".encode()
    signature = hmac.new(KEY, message, hashlib.sha256).hexdigest()
    assert f"modern; route=plans; token={LATER}.{signature}" == ON_PLANS


@given(st.binary(max_size=200), st.booleans())
def test_whatever_stands_in_the_field_nobody_gets_in_without_the_key(
    value: bytes, trusted: bool
) -> None:
    """Only a trusted peer's plain word counts without a signature."""
    side = read_override(value, key=KEY, route="plans", now=NOW, trusted=trusted)
    assert not isinstance(side, Side) or (trusted and value in (b"modern", b"legacy"))


@given(
    st.sampled_from(Side),
    st.integers(NOW + 1, 10**12 - 1),
    st.from_regex(r"([A-Za-z0-9][A-Za-z0-9_.\-]{0,99})?", fullmatch=True),
)
def test_what_was_signed_is_read(side: Side, expires: int, route: str) -> None:
    """Whatever the side, the time and the route."""
    value = write_override(KEY, side, expires, route)
    assert read(value, route=route or "any") is side
