from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.processor.cards import CARDS
from deploy.processor.ledger import Asked, Ledger, Reply

_KEYS = count()


def charge(source: str = "tok_visa", amount: str = "2900", **changes: str) -> Asked:
    """Ask for a charge, under a key of its own unless one is given."""
    form = {"amount": amount, "currency": "eur", "source": source}
    key = changes.pop("key", f"k{next(_KEYS)}")
    return Asked(changes.pop("caller", "one"), key, "/v1/charges", form | changes)


def refund(of: str, amount: str | None = None, key: str = "") -> Asked:
    """Ask for a refund of a charge."""
    form = {"charge": of} | ({} if amount is None else {"amount": amount})
    return Asked("one", key or f"k{next(_KEYS)}", "/v1/refunds", form)


def code(reply: Reply) -> object:
    """Return the code of an error."""
    return reply.body["error"]["code"]


def test_a_card_that_pays() -> None:
    """The charge has an id, and can be looked up by it."""
    ledger = Ledger()
    reply = ledger.ask(charge())
    assert (reply.status, reply.body["amount"], reply.body["status"]) == (200, 2900, "succeeded")
    found = ledger.charge(reply.body["id"])
    assert found is not None
    assert found.shown() == reply.body


@pytest.mark.parametrize(
    ("asked", "status", "word"),
    [
        (charge("tok_chargeDeclined"), 402, "card_declined"),
        (charge("tok_chargeDeclinedInsufficientFunds"), 402, "insufficient_funds"),
        (charge("tok_chargeDeclinedExpiredCard"), 402, "expired_card"),
        (charge("tok_nobody"), 400, "resource_missing"),
        (charge(amount="0"), 400, "parameter_invalid_integer"),
        (charge(amount="-5"), 400, "parameter_invalid_integer"),
        (charge(amount="9.90"), 400, "parameter_invalid_integer"),
        (charge(amount="٣"), 400, "parameter_invalid_integer"),
        (charge(currency="EUR"), 400, "parameter_invalid"),
        (charge("tok_unavailable"), 503, "unavailable"),
        (refund("ch_00000009"), 404, "resource_missing"),
    ],
)
def test_what_is_not_paid(asked: Asked, status: int, word: str) -> None:
    """Each reason has its status and its word."""
    reply = Ledger().ask(asked)
    assert (reply.status, code(reply)) == (status, word)


def test_a_key_is_carried_out_once() -> None:
    """Whoever asks again hears the first answer; a decline is an answer, too."""
    ledger = Ledger()
    for asked in (charge(), charge("tok_chargeDeclined")):
        assert ledger.ask(asked) == ledger.ask(asked)
    assert ledger.charge("ch_00000002") is None


def test_a_key_belongs_to_its_caller_and_its_request() -> None:
    """Another caller may use the same one; the same caller may not ask for something else."""
    ledger = Ledger()
    ledger.ask(charge(key="a"))
    assert ledger.ask(charge(key="a", caller="other")).body["id"] == "ch_00000002"
    assert code(ledger.ask(charge(key="a", amount="1"))) == "idempotency_error"


def test_a_lost_answer_is_there_for_who_asks_again() -> None:
    """The card was charged once, and the second answer comes at once."""
    ledger = Ledger()
    asked = charge("tok_lostAnswer")
    first, second = ledger.ask(asked), ledger.ask(asked)
    assert (first.withheld, second.withheld) == (True, False)
    assert first.body == second.body
    assert ledger.charge("ch_00000002") is None


def test_a_failure_can_be_asked_again() -> None:
    """Two failures that charge nothing, then the card pays."""
    ledger = Ledger()
    asked = charge("tok_flaky")
    assert [ledger.ask(asked).status for _ in range(4)] == [503, 503, 200, 200]
    assert ledger.charge("ch_00000002") is None


def test_refunds_in_parts() -> None:
    """Never more than was paid, and nothing after the whole."""
    ledger = Ledger()
    paid = str(ledger.ask(charge()).body["id"])
    assert ledger.ask(refund(paid, "900")).status == 200
    assert code(ledger.ask(refund(paid, "2001"))) == "amount_too_large"
    assert code(ledger.ask(refund(paid, "0"))) == "parameter_invalid_integer"
    assert ledger.ask(refund(paid)).body["amount"] == 2000
    assert code(ledger.ask(refund(paid, "1"))) == "charge_already_refunded"


def test_an_imported_charge_says_what_it_was() -> None:
    """It can be refunded, once."""
    ledger = Ledger()
    assert ledger.ask(refund("ch_imported_901_2900_eur")).body["amount"] == 2900
    assert code(ledger.ask(refund("ch_imported_901_2900_eur"))) == "charge_already_refunded"


@given(st.lists(st.integers(1, 900), max_size=12))
def test_no_more_is_given_back_than_was_taken(amounts: list[int]) -> None:
    """Whatever is asked for."""
    ledger = Ledger()
    paid = str(ledger.ask(charge(amount="1000")).body["id"])
    replies = [ledger.ask(refund(paid, str(amount))) for amount in amounts]
    given_back = sum(reply.body["amount"] for reply in replies if reply.status == 200)
    found = ledger.charge(paid)
    assert found is not None
    assert given_back == found.refunded <= 1000


@given(st.lists(st.sampled_from([charge(token, key=token) for token in CARDS]), max_size=20))
def test_the_same_requests_make_the_same_ledger(asked: list[Asked]) -> None:
    """So a journal is enough to start again from."""
    one, other = Ledger(), Ledger()
    assert [one.ask(each) for each in asked] == [other.ask(each) for each in asked]
