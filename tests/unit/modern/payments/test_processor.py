from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl

import httpx
import pytest

from modern.money import Money
from modern.payments.domain import Approved, Outcome, Refused, Unclear
from modern.payments.processor import FIRST_PAUSE, Processor, understood
from shadow_compare.dry_run import DryRun
from shadow_compare.dry_run.run import inside

EURO = Money(2900, "EUR")


class Script:
    """A processor that answers in turn what it is told to, and notes what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.asked: list[httpx.Request] = []
        self.pauses: list[float] = []
        self._answers: Iterator[httpx.Response | Exception] = iter(answers)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def processor(self, key: str | None = "sk_test") -> Processor:
        """Return a processor that asks here."""
        transport = httpx.MockTransport(self._answer)
        return Processor(
            "http://processor", key, sleep=self._sleep, chance=lambda: 0.5, transport=transport
        )


def ok() -> httpx.Response:
    """Approve."""
    return httpx.Response(200, json={"id": "ch_1"})


async def test_a_charge_as_it_is_asked_for() -> None:
    """Minor units, a small currency, the key of ours and the key that makes it once."""
    script = Script(ok())
    assert await script.processor().charge(EURO, "tok_visa", "k1") == Approved("ch_1")
    [request] = script.asked
    assert (request.method, request.url.path) == ("POST", "/v1/charges")
    assert dict(parse_qsl(request.content.decode())) == {
        "amount": "2900",
        "currency": "eur",
        "source": "tok_visa",
    }
    assert request.headers["authorization"] == "Bearer sk_test"
    assert request.headers["idempotency-key"] == "k1"


async def test_a_refund_as_it_is_asked_for() -> None:
    """Of which charge, and how much."""
    script = Script(ok())
    await script.processor().refund("ch_1", EURO, "k2")
    [request] = script.asked
    assert request.url.path == "/v1/refunds"
    assert dict(parse_qsl(request.content.decode())) == {"charge": "ch_1", "amount": "2900"}


@pytest.mark.parametrize(
    "failure",
    [
        lambda: httpx.Response(503),
        lambda: httpx.Response(429),
        lambda: httpx.Response(200, text="<html>"),
        lambda: httpx.ReadTimeout("late"),
        lambda: httpx.ConnectError("refused"),
        lambda: httpx.RemoteProtocolError("cut off"),
    ],
)
async def test_asking_again_under_the_same_key(
    failure: Callable[[], httpx.Response | Exception],
) -> None:
    """When nobody knows what came of it; after pauses that double, half of them by lot."""
    script = Script(failure(), failure(), ok())
    assert await script.processor().charge(EURO, "tok_visa", "k1") == Approved("ch_1")
    assert [one.headers["idempotency-key"] for one in script.asked] == ["k1"] * 3
    assert script.pauses == [FIRST_PAUSE / 2, FIRST_PAUSE]


async def test_giving_up() -> None:
    """After three tries it is for the recovery to find out."""
    script = Script(*[httpx.Response(503) for _ in range(4)])
    assert await script.processor().charge(EURO, "tok_visa", "k1") == Unclear("status 503")
    assert len(script.asked) == 3


async def test_a_no_is_not_asked_again() -> None:
    """The bank has said it."""
    script = Script(httpx.Response(402, json={"error": {"code": "card_declined"}}))
    found = await script.processor().charge(EURO, "tok_visa", "k1")
    assert (found, len(script.asked)) == (Refused("card_declined"), 1)


async def test_without_a_key_nothing_is_asked() -> None:
    """Nothing is charged where nobody has said whose money it is."""
    script = Script()
    assert isinstance(await script.processor(key=None).charge(EURO, "c", "k"), Unclear)
    assert script.asked == []


@pytest.mark.parametrize("key", ["sk_test", None])
async def test_in_a_dry_run_nothing_is_asked(key: str | None) -> None:
    """It is recorded, and taken to be approved."""
    script, run = Script(), DryRun("w1")
    with inside(run):
        processor = script.processor(key)
        assert await processor.charge(EURO, "tok_visa", "k1") == Approved("dry_run")
        assert await processor.refund("ch_1", EURO, "k2") == Approved("dry_run")
    assert script.asked == []
    assert [(one.kind, one.details["what"]) for one in run.effects] == [
        ("payment", "charges"),
        ("payment", "refunds"),
    ]


@pytest.mark.parametrize(
    ("status", "document", "outcome"),
    [
        (200, {"id": "ch_1"}, Approved("ch_1")),
        (200, {}, Unclear("status 200")),
        (200, {"id": 7}, Unclear("status 200")),
        (402, {"error": {"code": "expired_card"}}, Refused("expired_card")),
        (400, {"error": "text"}, Refused("http_400")),
        (404, {}, Refused("http_404")),
        (402, {"error": {"code": "x" * 100}}, Refused("x" * 64)),
        (401, {"error": {"code": "wrong key"}}, Unclear("status 401")),
        (409, {}, Unclear("status 409")),
        (500, {"id": "ch_1"}, Unclear("status 500")),
        (302, {}, Unclear("status 302")),
    ],
)
def test_what_an_answer_means(status: int, document: dict[str, object], outcome: Outcome) -> None:
    """A wrong key or too many requests say nothing about the card."""
    assert understood(status, document) == outcome
