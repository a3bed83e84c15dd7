import itertools
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modern.billing.domain import Charge, ChargeStatus
from modern.errors import Invalid, Refusal
from modern.money import Money
from modern.payments.domain import (
    STATES,
    AlreadyRefunded,
    Happening,
    NotPaid,
    RefundUnderWay,
    amount_to_refund,
    failed,
    given_back,
    moved,
    paid,
)

NOW = datetime(2026, 1, 31, tzinfo=UTC)
DOCUMENT = Path(__file__).parents[4] / "docs" / "payments.md"


def charge(status: ChargeStatus, refunded: int = 0, amount: int = 2900) -> Charge:
    """Make a charge that stands like this."""
    money, back = Money(amount, "EUR"), Money(refunded, "EUR")
    return Charge(901, 40, 17, money, status, "Team, 1 month", NOW, None, back, None)


def test_paying() -> None:
    """It is paid now, under the processor's name."""
    after = paid(charge(ChargeStatus.PENDING), "ch_1", NOW)
    assert (after.status, after.paid_at, after.reference) == (ChargeStatus.PAID, NOW, "ch_1")


def test_declining() -> None:
    """It has failed, and was never paid."""
    after = failed(charge(ChargeStatus.PENDING))
    assert (after.status, after.paid_at) == (ChargeStatus.FAILED, None)


@pytest.mark.parametrize(("status", "happening"), list(itertools.product(ChargeStatus, Happening)))
def test_only_what_is_in_the_table_happens(status: ChargeStatus, happening: Happening) -> None:
    """Everything else is a mistake of ours."""
    if happening in STATES[status]:
        assert moved(charge(status), happening) is STATES[status][happening]
    else:
        with pytest.raises(ValueError, match=f"a {status} charge cannot be {happening}"):
            moved(charge(status), happening)


def test_the_document_prints_the_table() -> None:
    """What is written about the states is what the code says."""
    rows = [
        f"| {status} | " + " | ".join(STATES[status].get(one, "-") for one in Happening) + " |"
        for status in ChargeStatus
    ]
    head = f"| | {' | '.join(Happening)} |"
    assert "\n".join([head, "|---" * (len(Happening) + 1) + "|", *rows]) in DOCUMENT.read_text()


@pytest.mark.parametrize(
    ("before", "under_way", "wanted", "expected"),
    [
        (charge(ChargeStatus.PAID), 0, None, 2900),
        (charge(ChargeStatus.PAID), 0, 1, 1),
        (charge(ChargeStatus.PAID), 0, 2900, 2900),
        (charge(ChargeStatus.PAID, 900), 0, None, 2000),
        (charge(ChargeStatus.PAID, 900), 500, None, 1500),
        (charge(ChargeStatus.PAID), 0, 2901, Invalid),
        (charge(ChargeStatus.PAID, 900), 500, 1501, Invalid),
        (charge(ChargeStatus.PAID, 900), 2000, None, RefundUnderWay),
        (charge(ChargeStatus.PAID, 2900), 0, 1, AlreadyRefunded),
        (charge(ChargeStatus.PAID, 0, 0), 0, None, AlreadyRefunded),
        (charge(ChargeStatus.REFUNDED, 2900), 0, None, AlreadyRefunded),
        (charge(ChargeStatus.PENDING), 0, None, NotPaid),
        (charge(ChargeStatus.FAILED), 0, None, NotPaid),
    ],
)
def test_what_can_be_given_back(
    before: Charge, under_way: int, wanted: int | None, expected: int | type[Refusal]
) -> None:
    """All that is left or what is wanted of it; what is under way counts as gone."""
    if isinstance(expected, int):
        assert amount_to_refund(before, under_way, wanted) == Money(expected, "EUR")
    else:
        with pytest.raises(expected):
            amount_to_refund(before, under_way, wanted)


@given(st.lists(st.one_of(st.none(), st.integers(1, 3000)), max_size=10), st.integers(0, 3000))
def test_never_more_than_was_paid(wanted: list[int | None], amount: int) -> None:
    """However often, and in whatever parts."""
    now = charge(ChargeStatus.PAID, amount=amount)
    for each in wanted:
        try:
            back = amount_to_refund(now, 0, each)
        except Refusal:
            continue
        now = given_back(now, back)
    assert 0 <= now.refunded.minor <= amount
    assert (now.status is ChargeStatus.REFUNDED) == (now.refunded.minor == amount > 0)


@pytest.mark.parametrize("back", [Money(0, "EUR"), Money(2901, "EUR"), Money(1, "USD")])
def test_what_cannot_be_is_a_mistake_of_ours(back: Money) -> None:
    """Nothing, too much, and another currency."""
    with pytest.raises(ValueError, match="cannot be given back"):
        given_back(charge(ChargeStatus.PAID), back)


def test_a_refund_changes_nothing_else() -> None:
    """The time and the name of the payment stay."""
    before = replace(charge(ChargeStatus.PAID), paid_at=NOW, reference="ch_1")
    after = given_back(before, Money(2900, "EUR"))
    assert after == replace(before, status=ChargeStatus.REFUNDED, refunded=before.amount)
