"""Both applications, on the same data, asked the same: the answers differ as declared, or not."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import LegacyApp, ModernApp

INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\+00:00)?")
AMOUNTS = {"price", "amount", "refunded_amount"}
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
FLAGS = {"is_active"}
MAPS = {"features", "filters"}
CLOCKS = {"generated_at", "timestamp"}

READS = [
    "/api/plans",
    *(f"/api/plans/{number}" for number in ("0", "1", "2", "3", "4", "5", "004", "9" * 25)),
    *(f"/api/users/{number}" for number in ("0", "1", "8", "13", "42", "2000", "2001", "9" * 25)),
    *(f"/api/subscriptions/{number}" for number in ("0", "1", "2999", "3000", "3001")),
    *(f"/api/subscriptions?page={page}" for page in ("", "1", "2", "150", "151", "0", "-1", "x")),
    *(f"/api/subscriptions?page={page}" for page in ("1.0", "999999999", "1000000000", "+2")),
    *(f"/api/subscriptions?status={one}" for one in ("active", "cancelled", "past_due", "ACTIVE")),
    *(f"/api/subscriptions?user_id={one}" for one in ("1", "8", "01", "x", "-1", "%201", "1e3")),
    "/api/subscriptions?user_id[]=1&status[]=active",
    "/api/subscriptions?user.id=1&status=active",
    "/api/subscriptions?user_id=1&user_id=2",
    "/api/subscriptions?user_id=2&status=&page=1",
    "/api/subscriptions?status=%C3%A9%2F%22",
    "/api/subscriptions?status=a%00b",
    "/api/subscriptions?USER_ID=1",
    *(f"/api/billing/history?user_id={one}" for one in ("1", "8", "2001", "", "x", "-1", "9" * 25)),
    "/api/billing/history?user_id=1&page=2",
    "/api/billing/history",
    "/api/billing/history?user_id[]=1",
    *("/api", "/api/", "/api/plans/", "/api/plans/x", "/api//plans", "/api/plans/1%0A"),
    *("/api/%70lans", "/API/plans", "/api/nothing", "/api/plans%0A"),
]

WRONG_WRITES: list[tuple[str, str, dict[str, object]]] = [
    ("POST", "/api/users", {}),
    ("POST", "/api/users", {"email": " ", "name": None, "password": []}),
    ("POST", "/api/users", {"email": "x", "name": 5, "password": "short", "country": "DEU"}),
    ("POST", "/api/users", {"email": "demo@example.com", "name": "n" * 256, "phone": "1" * 41}),
    ("POST", "/api/users", {"email": "DEMO@example.com", "password": "p" * 73}),
    ("POST", "/api/users", {"email": "a" * 250 + "@b.c.d", "password": "p" * 8}),
    ("POST", "/api/users", {"email": "zoë@example.com", "name": "\u0000", "password": "é" * 37}),
    ("POST", "/api/users", {"email": True, "name": {}, "password": 12345678, "country": 1}),
    ("PUT", "/api/users/1", {"name": ""}),
    ("PUT", "/api/users/1", {"name": None, "country": "x", "phone": {}}),
    ("PUT", "/api/users/2001", {"name": ""}),
    ("POST", "/api/subscriptions", {}),
    ("POST", "/api/subscriptions", {"user_id": 99999, "plan_id": 99}),
    ("POST", "/api/subscriptions", {"user_id": "1", "plan_id": "x"}),
    ("POST", "/api/subscriptions", {"user_id": 99999}),
    ("POST", "/api/subscriptions", {"user_id": 1.0, "plan_id": True}),
    ("POST", "/api/subscriptions", {"user_id": -1, "plan_id": 10**30}),
    ("POST", "/api/subscriptions", {"user_id": 10**30, "plan_id": 2**31}),
    ("POST", "/api/subscriptions/3001/cancel", {}),
    ("POST", "/api/payments/0/refund", {}),
    ("POST", "/api/payments/99999999/refund", {"amount": "x"}),
    ("POST", "/api/payments/1/refund", {"amount": "0"}),
    ("POST", "/api/payments/1/refund", {"amount": "1,50"}),
    ("POST", "/api/payments/1/refund", {"amount": "99999999"}),
    ("POST", "/api/payments/1/refund", {"amount": 1.005}),
    ("POST", "/api/payments/1/refund", {"amount": True}),
    ("POST", "/api/payments/1/refund", {"amount": -1}),
    ("POST", "/api/payments/24512/refund", {"amount": "x"}),
    ("POST", "/api/billing/run", {"subscription_id": 99999999}),
    ("POST", "/api/billing/run", {"subscription_id": "x", "limit": "0"}),
    ("POST", "/api/billing/run", {"limit": 10**30}),
    ("PUT", "/api/users/1", {"payment_method": "t" * 65}),
    ("GET", "/api/payments/1/refund", {}),
    ("GET", "/api/billing/run", {}),
    ("DELETE", "/api/users/1", {}),
    ("PATCH", "/api/users", {}),
    ("PUT", "/api/plans", {}),
    ("OPTIONS", "/api/subscriptions", {}),
    ("POST", "/api/billing/history", {}),
    ("GET", "/api/subscriptions/1/cancel", {}),
]


@pytest.fixture(scope="module")
def sides(legacy_app: LegacyApp, modern_app: ModernApp) -> Iterator[tuple[httpx.Client, ...]]:
    """Give a client of each side."""
    with (
        httpx.Client(base_url=legacy_app.base_url, timeout=30) as legacy,
        httpx.Client(base_url=modern_app.base_url, timeout=30) as modern,
    ):
        yield legacy, modern


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("target", READS)
def test_both_read_the_same(sides: tuple[httpx.Client, ...], method: str, target: str) -> None:
    """Status, type, the order of the fields, and every value but for its declared spelling."""
    ask_both(sides, method, target)


@pytest.mark.parametrize("form", [False, True])
@pytest.mark.parametrize(("method", "path", "body"), WRONG_WRITES)
def test_both_refuse_the_same(
    sides: tuple[httpx.Client, ...],
    method: str,
    path: str,
    body: dict[str, object],
    *,
    form: bool,
) -> None:
    """The same mistakes, named by the same words in the same order."""
    if form:
        ask_both(sides, method, path, data={name: str(value) for name, value in body.items()})
    else:
        ask_both(sides, method, path, json=body)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b"null", b'{"name":"\xff"}', b'{"name":"\\ud800"}', b'{"name":NaN}']
)
def test_both_take_a_broken_body_for_an_empty_one(
    sides: tuple[httpx.Client, ...], content_type: str, body: bytes
) -> None:
    """What is not understood is missing."""
    headers = {"Content-Type": content_type} if content_type else {}
    ask_both(sides, "POST", "/api/users", content=body, headers=headers)


@pytest.mark.parametrize(
    "body",
    [b"name=%FF", b"name=%00", b"name[]=x", b"na.me=x", b"password=%FF%FF%FF%FF%FF%FF%FF%FF"],
)
def test_both_read_odd_forms_alike(sides: tuple[httpx.Client, ...], body: bytes) -> None:
    """Bytes that are no text, lists, names that PHP mangles."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    ask_both(sides, "POST", "/api/users", content=body, headers=headers)


def test_both_hold_the_same_rows(sides: tuple[httpx.Client, ...]) -> None:
    """A sample of users with their subscriptions and charges, on all pages."""
    for user_id in random.Random(2).sample(range(1, 2001), 40):
        for target in (
            f"/api/users/{user_id}",
            f"/api/subscriptions?user_id={user_id}",
            f"/api/billing/history?user_id={user_id}",
            f"/api/billing/history?user_id={user_id}&page=2",
        ):
            ask_both(sides, "GET", target)


def ask_both(sides: tuple[httpx.Client, ...], method: str, target: str, **request: object) -> None:
    """Ask both sides and compare."""
    legacy, modern = (
        side.request(method, side.base_url.join(target), **request)  # type: ignore[arg-type] # passed on
        for side in sides
    )
    assert modern.status_code == legacy.status_code
    for name in ("content-type", "allow"):
        assert modern.headers.get(name) == legacy.headers.get(name)
    if method == "HEAD":
        assert (modern.content, legacy.content) == (b"", b"")
        return
    assert ordered(modern.json()) == ordered(legacy.json())


def ordered(value: object, name: str = "") -> object:
    """Return the JSON in one spelling, objects as lists of pairs: their order counts."""
    if name in MAPS:
        return sorted(value.items()) if isinstance(value, dict) else value
    if name in CLOCKS:
        return "now"
    if isinstance(value, dict):
        return [(key, ordered(inner, key)) for key, inner in value.items()]
    if isinstance(value, list):
        return [ordered(inner) for inner in value]
    if name in AMOUNTS and NUMBER.fullmatch(str(value)):  # or the word for what is wrong with it
        return f"{float(str(value)):.2f}"
    if name in FLAGS:
        return bool(value)
    if isinstance(value, str):
        return _spelt(value)
    return value


def _spelt(text: str) -> str | None:
    if text in {"0000-00-00", "0000-00-00 00:00:00"}:
        return None
    found = INSTANT.fullmatch(text)
    return f"{found[1]} {found[2]}" if found else text
