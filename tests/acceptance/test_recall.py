"""Recall: every fault that is seeded in modern is found, as one signature, and nothing else is.

Real PHP and real modern behind the real proxy with shadow workers. A fault is in the data, where a
migration would leave it, or in an answer on its way out of modern, where a bug in its code would.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.conftest import LegacyApp, ModernApp
from tests.support import eventually_async
from tests.support_edge import Edge, Reply, Spoil, running_edge
from tests.support_load import Client, Door, Request
from tests.support_proxy import Plain, Proxy

RULES = """\
version: 1
upstreams:
  legacy: {{instances: ["http://127.0.0.1:{legacy}"], timeouts: {{idle: 4s}}}}
  modern: {{instances: ["http://127.0.0.1:{modern}"], timeouts: {{idle: 4s}}}}
defaults:
  rollback: {{error_rate: 100%, p95: 30s, mismatch_rate: 100%, window: 60s, min_requests: 20}}
routes:
  - id: face
    match: {{method: [GET], path: /*}}
    weight: 0%
    mirror: {{share: 100%}}
    compare:
      equivalences: [number_as_string, int_bool, php_datetime, zero_date, empty_map_list]
      critical: ["$.data[*].price", "$.data[*].amount"]
      arrays: {{"$.data": {{by: id}}}}
      ignore: [{{path: $.meta.generated_at, reason: the clock, owner: test, until: 2030-01-01}}]
  - id: rest
    match: {{path: /*}}
    weight: 0%
"""
"""Connections are given up before those of the edges, which last five seconds."""
READS = (
    "/api/plans",
    "/api/plans/2",
    "/api/plans/999",
    *(f"/api/users/{number}" for number in range(1, 6)),
    *(f"/api/subscriptions?user_id={number}" for number in range(1, 4)),
    "/api/subscriptions/7",
    "/api/subscriptions?page=9999",
    *(f"/api/billing/history?user_id={number}" for number in range(1, 4)),
    "/api/billing/history",
    "/api/nothing",
    "/login",
    "/account",
)
PAGES = ("/login", "/account")
"""What modern does not serve yet: behind modern's edge, too, legacy answers them."""
COOKIE = "basket={}; Path=/; HttpOnly; SameSite=Lax"
"""Set by both edges, as a load balancer would, each with values of its own."""


@dataclass(frozen=True)
class Fault:
    """One fault, and the one signature that it is to be found as: its kinds and places.

    `spoil` changes answers of modern's edge, or of legacy's when it is `legacys`; `damage` are a
    statement on modern's database and the one that undoes it.
    """

    name: str
    found: str
    spoil: Spoil | None = None
    damage: tuple[str, str] = ("", "")
    critical: bool = False
    legacys: bool = False


def edit(path: str, change: Callable[[Any], None]) -> Spoil:
    """Change what the JSON answer at one path says."""

    def spoil(asked: str, reply: Reply) -> Reply:
        if asked != path:
            return reply
        answer = json.loads(reply.body)
        change(answer)
        return Reply(reply.status, reply.headers, json.dumps(answer).encode())

    return spoil


def each(change: Callable[[Any], object]) -> Callable[[Any], None]:
    """Change every row of a list."""

    def change_all(answer: Any) -> None:
        for row in answer.get("data", ()):
            change(row)

    return change_all


def at(path: str, change: Callable[[Reply], Reply]) -> Spoil:
    """Change the answer at one path."""
    return lambda asked, reply: change(reply) if asked == path else reply


def body(old: bytes, new: bytes) -> Callable[[Reply], Reply]:
    """Change a body where it says this, once."""

    def change(reply: Reply) -> Reply:
        assert reply.body.count(old) == 1, (old, reply.body)
        return Reply(reply.status, reply.headers, reply.body.replace(old, new))

    return change


def header(name: str, value: str | None) -> Callable[[Reply], Reply]:
    """Change or leave out a header."""
    return lambda reply: reply.with_header(name, value)


def cookie(written: str | None) -> Spoil:
    """Change the cookie of one answer."""
    return at("/api/plans", header("set-cookie", written and written.format("2")))


def status(code: int) -> Callable[[Reply], Reply]:
    """Change the status."""
    return lambda reply: Reply(code, reply.headers, reply.body)


def whole(change: Callable[[bytes], bytes]) -> Callable[[Reply], Reply]:
    """Change a whole body."""
    return lambda reply: Reply(reply.status, reply.headers, change(reply.body))


def compressed(reply: Reply) -> Reply:
    """Compress a body."""
    return whole(gzip.compress)(reply.with_header("content-encoding", "gzip"))


def add_a_cent(plan: Any) -> None:
    """Raise a price."""
    plan["price"] = round(plan["price"] + 0.01, 2)


def rounded_down(charge: Any) -> None:
    """Take the last cent of odd amounts, as rounding half a cent to even does."""
    if round(charge["amount"] * 100) % 2:
        charge["amount"] = round(charge["amount"] - 0.01, 2)


def later(user: Any) -> None:
    """Shift a time by an hour, as a forgotten zone does."""
    moment = datetime.fromisoformat(user["created_at"]) + timedelta(hours=1)
    user["created_at"] = moment.isoformat()


def turned(row: dict[str, Any]) -> dict[str, Any]:
    """Turn the order of members round."""
    return dict(reversed(row.items()))


PLANS, USER, CHARGES = "/api/plans", "/api/users/3", "/api/billing/history"
EPOCH = "1970-01-01T00:00:00+00:00"
NOTICE = b"<br />\n<b>Warning</b>:  Undefined variable $x in <b>/srv/plans.php</b> on line <b>7</b>"
FAULTS = (
    # Money
    Fault("a cent more on one plan", "type_changed: $.data[*].price",
          edit(PLANS, lambda told: add_a_cent(told["data"][1])), critical=True),
    Fault("half a cent rounded to even", "type_changed: $.data[*].amount",
          edit(CHARGES, each(rounded_down)), critical=True),
    Fault("a charge that was copied wrongly", "type_changed: $.data[*].amount", critical=True,
          damage=("UPDATE billing_history SET amount_minor = amount_minor + 1 WHERE user_id = 2",
                  "UPDATE billing_history SET amount_minor = amount_minor - 1 WHERE user_id = 2")),
    Fault("another currency", "value_changed: $.data[*].currency",
          edit(PLANS, each(lambda row: row.update(currency="USD")))),
    # Fields
    Fault("a missing field", "missing: $.data[*].trial_days",
          edit(PLANS, each(lambda row: row.pop("trial_days")))),
    Fault("a field too many", "extra: $.data[*].margin",
          edit(PLANS, each(lambda row: row.update(margin=0.4)))),
    Fault("a field of another name", "extra, missing: $.data.telephone, $.data.phone",
          edit(USER, lambda told: told["data"].update(telephone=told["data"].pop("phone")))),
    Fault("null for a number", "type_changed: $.data[*].trial_days",
          edit(PLANS, each(lambda row: row.update(trial_days=None)))),
    Fault("a flag the other way round", "type_changed: $.data.is_active",
          edit(USER, lambda told: told["data"].update(is_active=not told["data"]["is_active"]))),
    Fault("a missing field deep inside", "missing: $.data[*].features.support",
          edit(PLANS, each(lambda row: row["features"].pop("support", None)))),
    Fault("a list without its meta", "missing: $.meta", edit(PLANS, lambda told: told.pop("meta"))),
    # Rows
    Fault("another order", "reordered: $.data[order]",
          edit(PLANS, lambda told: told["data"].reverse())),
    Fault("a row too few", "length_changed, missing: $.data[length], $.data[*]",
          edit(PLANS, lambda told: told["data"].pop())),
    Fault("a row twice", "extra, length_changed: $.data[*], $.data[length]",
          edit(PLANS, lambda told: told["data"].append(told["data"][0]))),
    Fault("a row of somebody else", "extra, missing: $.data[*]",
          edit(PLANS, lambda told: told["data"][2].update(id=999_999))),
    Fault("a wrong total", "value_changed: $.meta.total",
          edit(PLANS, lambda told: told["meta"].update(total=3))),
    # Times and texts
    Fault("a date an hour later", "value_changed: $.data.created_at",
          edit(USER, lambda told: later(told["data"]))),
    Fault("a date that was copied without its zone", "value_changed: $.data.created_at",
          damage=("UPDATE users SET created_at = created_at + interval '1 hour' WHERE id = 2",
                  "UPDATE users SET created_at = created_at - interval '1 hour' WHERE id = 2")),
    Fault("a day too early", "value_changed: $.data.next_billing_date",
          damage=("UPDATE subscriptions SET next_billing_date = next_billing_date - interval '1 d'"
                  " WHERE id = 7",
                  "UPDATE subscriptions SET next_billing_date = next_billing_date + interval '1 d'"
                  " WHERE id = 7")),
    Fault("the first of all dates instead of none", "value_changed: $.data.last_login_at",
          edit("/api/users/5", lambda told: told["data"].update(last_login_at=EPOCH))),
    Fault("a text decoded twice", "value_changed: $.data.name",
          damage=("UPDATE users SET name = name || 'Ã¼' WHERE id = 4",
                  "UPDATE users SET name = left(name, -2) WHERE id = 4")),
    Fault("a text cut off", "value_changed: $.data[*].description",
          edit(PLANS, each(lambda row: row.update(description=row["description"][:-1])))),
    Fault("another message", "value_changed: $.message",
          at("/api/plans/999", body(b"Plan not found", b"Not found"))),
    # Status and headers
    Fault("a wrong status", "value_changed: status 200 -> 404", at("/api/plans/999", status(404))),
    Fault("a failure", "value_changed: status 200 -> 500", at(USER, status(500))),
    Fault("a lost HttpOnly", "missing: headers.set-cookie.basket.httponly",
          cookie("basket={}; Path=/; SameSite=Lax")),
    Fault("another SameSite", "value_changed: headers.set-cookie.basket.samesite",
          cookie("basket={}; Path=/; HttpOnly; SameSite=None")),
    Fault("a cookie for a part only", "value_changed: headers.set-cookie.basket.path",
          cookie("basket={}; Path=/api; HttpOnly; SameSite=Lax")),
    Fault("a lost cookie", "missing: headers.set-cookie", cookie(None)),
    Fault("another redirect", "value_changed: headers.location",
          at("/account", header("location", "/signin"))),
    Fault("a lost charset", "value_changed: headers.content-type",
          at("/login", header("content-type", "text/html"))),
    Fault("a cache where there was none", "extra: headers.cache-control",
          at(PLANS, header("cache-control", "max-age=3600"))),
    # Whole bodies
    Fault("a body cut off", "type_changed: $", at(USER, whole(lambda sent: sent[:-5]))),
    Fault("no body", "type_changed: $", at(USER, whole(lambda _: b""))),
    Fault("a member twice", "type_changed: $",
          at(PLANS, body(b'{"status":"ok"', b'{"status":"ok","status":"ok"'))),
    Fault("a number that is none", "type_changed: $",
          at("/api/plans/2", body(b'"trial_days":', b'"rating":NaN,"trial_days":'))),
    Fault("another word on a page", "value_changed: html.h1.text",
          at("/login", body(b"<h1>Billing</h1>", b"<h1>Invoices</h1>"))),
    Fault("a form that goes elsewhere", "value_changed: html.form[#login].action",
          at("/login", body(b'action="/api/login"', b'action="/login"'))),
    Fault("an input that may stay empty", "missing: html.form[#login].input[email].required",
          at("/login", body(b'autocomplete="username" required', b'autocomplete="username"'))),
    Fault("a notice of PHP", "missing: notice",
          at(PLANS, whole(lambda sent: NOTICE + b"<br />\n" + sent)), legacys=True),
)  # fmt: skip

HARMLESS = {
    "another value of a cookie": cookie(COOKIE.replace("{}", "another-{}")),
    "attributes written otherwise": cookie("basket={}; samesite=lax; HTTPONLY; path=/"),
    "members in another order": edit(USER, lambda told: told.update(data=turned(told["data"]))),
    "blanks and escapes": edit(USER, lambda _: None),
    "a compressed body": at(PLANS, compressed),
    "headers of the server's own": at(PLANS, header("server", "another")),
    "the clock": edit(PLANS, lambda told: told["meta"].update(generated_at=EPOCH)),
}


@dataclass
class Shop:
    """Both applications behind their edges, and the proxy in front."""

    proxy: Proxy
    legacy: Edge
    modern: Edge
    database_url: str

    async def recall(self) -> dict[str, bool]:
        """Ask for everything; gives what was found meanwhile, and whether it is critical."""
        before, compared = await self._counts(), await self._compared()
        client = Client(Door(self.proxy.port), "person-1")
        for path in READS:
            answer = await client.ask(Request(path=path))
            assert (answer.side, answer.failure) == ("legacy", ""), answer
        await client.close()

        async def all_compared() -> bool:
            return await self._compared() >= compared + len(READS)

        await eventually_async(all_compared, 30, "every read is compared")
        now = await self.listed()
        return {
            _signature(one): one["critical"]
            for one in now
            if one["count"] > before.get(one["id"], 0)
        }

    @asynccontextmanager
    async def suffering(self, fault: Fault) -> AsyncIterator[None]:
        """Have a fault for a while."""
        edge, (damage, repair) = self.legacy if fault.legacys else self.modern, fault.damage
        with edge.spoiling(fault.spoil) if fault.spoil else nullcontext():
            await self._say(damage)
            try:
                yield
            finally:
                await self._say(repair)

    async def _say(self, statement: str) -> None:
        if not statement:
            return
        engine = create_async_engine(self.database_url)
        async with engine.begin() as connection:
            assert (await connection.execute(text(statement))).rowcount > 0
        await engine.dispose()

    async def _compared(self) -> int:
        found: list[Plain] = (await self.proxy.get("/coverage", route="face"))["coverage"]
        assert all(one["not_compared"] == {} for one in found), found
        return sum(one["compared"] for one in found)

    async def listed(self) -> list[Plain]:
        """Give what the report lists."""
        listed: list[Plain] = (await self.proxy.get("/differences", limit=200))["differences"]
        return listed

    async def _counts(self) -> dict[str, int]:
        return {one["id"]: one["count"] for one in await self.listed()}


def _signature(one: Plain) -> str:
    return f"{', '.join(one['kinds'])}: {', '.join(one['paths'])}"


@pytest.fixture
async def shop(
    legacy_app: LegacyApp, modern_app: ModernApp, make_proxy: Callable[..., Proxy]
) -> AsyncIterator[Shop]:
    """Give everything, running."""
    pages = dict.fromkeys(PAGES, legacy_app.base_url)
    async with (
        running_edge(legacy_app.base_url, COOKIE.format("1")) as legacy,
        running_edge(modern_app.base_url, COOKIE.format("2"), pages) as modern,
    ):
        proxy = make_proxy(RULES.format(legacy=legacy.port, modern=modern.port))
        await proxy.start()
        yield Shop(proxy, legacy, modern, modern_app.database_url)
        await proxy.stop()


@pytest.mark.timeout(300)
async def test_every_fault_is_found_as_one_signature_and_nothing_else_is(shop: Shop) -> None:
    """Without a fault nothing is found, and again when all have come and gone."""
    assert await shop.recall() == {}
    found = {}
    for fault in FAULTS:
        async with shop.suffering(fault):
            found[fault.name] = await shop.recall()
    assert found == {fault.name: {fault.found: fault.critical} for fault in FAULTS}
    assert await shop.recall() == {}


async def test_what_means_the_same_is_no_fault(shop: Shop) -> None:
    """However it is written, and whoever else has touched it."""
    for name, spoil in HARMLESS.items():
        with shop.modern.spoiling(spoil):
            assert (name, await shop.recall()) == (name, {})


async def test_operators_see_what_became_of_a_cookie_but_not_its_value(shop: Shop) -> None:
    """In the list of differences, and in the answers that are kept."""
    with shop.modern.spoiling(cookie("basket={}; Path=/; SameSite=Strict")):
        await shop.recall()
    (one,) = await shop.listed()
    assert _signature(one).endswith(
        "headers.set-cookie.basket.httponly, headers.set-cookie.basket.samesite"
    )
    sample = (await shop.proxy.get(f"/differences/{one['id']}"))["samples"][0]
    shown = {each["path"]: (each["legacy"], each["modern"]) for each in sample["differences"]}
    assert shown == {
        "headers.set-cookie.basket.httponly": ("true", None),
        "headers.set-cookie.basket.samesite": ('"lax"', '"strict"'),
    }
    kept = dict(sample["candidate"]["headers"])["set-cookie"]
    assert kept.startswith("basket=[redacted ")
    assert kept.endswith("]; Path=/; SameSite=Strict")
