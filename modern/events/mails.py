"""What customers are told by mail of what has happened (pure)."""

from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Final

from modern.events.domain import Event, EventKind
from modern.users.domain import User

_SUBJECTS: Final = {
    EventKind.PAYMENT_SUCCEEDED: "Receipt: {description}",
    EventKind.PAYMENT_FAILED: "Your payment has failed: {description}",
    EventKind.REFUND_SUCCEEDED: "Refund: {description}",
}

_TEXTS: Final = {
    EventKind.PAYMENT_SUCCEEDED: "we have received {amount} for {description}. Thank you.",
    EventKind.PAYMENT_FAILED: (
        "your card was not charged {amount} for {description}: the bank has declined.\n"
        "Please see to it that another card can be charged."
    ),
    EventKind.REFUND_SUCCEEDED: "we have given {amount} for {description} back to your card.",
}


def mail_of(event: Event, user: User, sender: str) -> EmailMessage:
    """Return the mail; raises ValueError when the address of the user fits into no header.

    Its id is that of the event: whoever gets it twice can see that it is one.
    """
    words = _words(event.payload)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = Address(display_name=_line(user.name), addr_spec=user.email)
    mail["Subject"] = _line(_SUBJECTS[event.kind].format(**words))
    mail["Date"] = format_datetime(event.happened_at)
    mail["Message-ID"] = f"<event-{event.id}@{sender.rpartition('@')[2].rstrip('>')}>"
    text = _TEXTS[event.kind].format(**words)
    mail.set_content(
        f"Dear {_line(user.name)},\n\n{text}\n\n"
        f"Payment {event.payload['charge_id']}, {_day(event.happened_at)}\n"
    )
    return mail


def money(minor: int, currency: str) -> str:
    """Return an amount of hundredths in words, such as "29.00 EUR"."""
    whole, part = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}{whole}.{part:02} {currency}"


def _words(payload: Mapping[str, Any]) -> dict[str, str]:
    amount = money(payload["amount_minor"], payload["currency"])
    return {"amount": amount, "description": payload["description"]}


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


def _line(text: str) -> str:
    """Return the text on one line: a header that a name could break in two would be another's."""
    return " ".join(text.split())
