from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modern.events.domain import Event, EventKind
from modern.events.mails import mail_of, money
from modern.users.domain import User

THEN = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)


def user(name: str = "Zoë") -> User:
    """Make a customer."""
    return User(17, "zoe@example.com", name, "DE", None, None, True, None, THEN)


def event(kind: EventKind) -> Event:
    """Make an event about 29 euro of charge 901."""
    payload = {"charge_id": 901, "user_id": 17, "amount_minor": 2900, "currency": "EUR"}
    return Event(7, kind, {**payload, "description": "Team, 1 month"}, THEN, 0)


@pytest.mark.parametrize(
    ("kind", "subject", "words"),
    [
        (EventKind.PAYMENT_SUCCEEDED, "Receipt: Team, 1 month", "we have received 29.00 EUR for"),
        (EventKind.REFUND_SUCCEEDED, "Refund: Team, 1 month", "we have given 29.00 EUR for"),
        (
            EventKind.PAYMENT_FAILED,
            "Your payment has failed: Team, 1 month",
            "your card was not charged 29.00 EUR for Team, 1 month: the bank has declined",
        ),
    ],
)
def test_a_mail_of_each_kind(kind: EventKind, subject: str, words: str) -> None:
    """To the customer, from the shop, with the amount and the number of the payment."""
    mail = mail_of(event(kind), user(), "shop@example.org")
    assert (mail["From"], mail["To"]) == ("shop@example.org", "Zoë <zoe@example.com>")
    assert (mail["Subject"], mail["Message-ID"]) == (subject, "<event-7@example.org>")
    text = mail.get_content()
    assert text.startswith("Dear Zoë,")
    assert words in text
    assert "Payment 901, 2026-01-31" in text


def test_every_kind_of_event_has_a_mail() -> None:
    """A new kind that nobody wrote a mail for is found here."""
    for kind in EventKind:
        assert mail_of(event(kind), user(), "shop@example.org")["Subject"]


def test_a_name_cannot_add_a_header() -> None:
    """Whatever a customer calls itself stays in its place."""
    name = "A\r\nBcc: everybody@example.com\r\n\r\nBuy now"
    mail = mail_of(event(EventKind.PAYMENT_SUCCEEDED), user(name), "shop@example.org")
    assert mail["Bcc"] is None
    assert b"\nBcc:" not in mail.as_bytes()


@given(st.text(max_size=80))
def test_any_name_makes_a_mail_or_a_clear_error(name: str) -> None:
    """What no header can hold is refused, and never half a mail."""
    try:
        mail = mail_of(event(EventKind.PAYMENT_SUCCEEDED), user(name), "shop@example.org")
    except ValueError:
        return
    assert mail["To"].addresses[0].addr_spec == "zoe@example.com"


@pytest.mark.parametrize(
    ("minor", "words"), [(2900, "29.00 EUR"), (5, "0.05 EUR"), (0, "0.00 EUR"), (-105, "-1.05 EUR")]
)
def test_money_in_words(minor: int, words: str) -> None:
    """Always two digits after the point."""
    assert money(minor, "EUR") == words
