"""Events become mails, handed over to a real mail server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from deploy.mailbox.server import mails, start
from modern.events.domain import EventKind
from modern.events.flow import tell_all
from modern.events.repository import EventRepository
from modern.events.tables import outbox
from modern.infra.mail import MailServer
from modern.infra.resources import Resources
from modern.infra.settings import Settings
from modern.users.tables import users
from tests.integration.modern.conftest import NOW


@pytest.fixture
async def mail_port(tmp_path: Path) -> AsyncIterator[int]:
    """Give the port of a running mail server that writes into the folder of the test."""
    server = await start(0, tmp_path)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


@pytest.fixture
def settings(settings: Settings, mail_port: int) -> Settings:
    """Give the application the mail server."""
    url = SecretStr(f"smtp://127.0.0.1:{mail_port}")
    return settings.model_copy(update={"smtp_url": url})


async def happen(resources: Resources, *kinds: EventKind, user_id: int = 1) -> None:
    """Have these events happen, about a charge of 29 euro."""
    payload = {
        "charge_id": 26, "user_id": user_id, "amount_minor": 2900, "currency": "EUR",
        "description": "Team, 1 month",
    }  # fmt: skip
    async with resources.database.writing() as connection:
        for kind in kinds:
            await EventRepository(connection).add(kind, payload, NOW)


async def address(resources: Resources, user_id: int, email: str) -> None:
    """Give a user another address."""
    async with resources.database.writing() as connection:
        await connection.execute(update(users).where(users.c.id == user_id).values(email=email))


async def rows(resources: Resources) -> list[tuple[bool, int, str | None]]:
    """Return of each event whether it was told, how often that failed, and how."""
    async with resources.database.reading() as connection:
        found = await connection.execute(select(outbox).order_by(outbox.c.id))
        return [(row.told_at is not None, row.tries, row.failure) for row in found]


async def test_each_event_is_a_mail_once(resources: Resources, tmp_path: Path) -> None:
    """In the order in which they happened, to the customer, with an id of their own."""
    await happen(resources, *EventKind)
    assert await tell_all(resources) == 3
    assert await tell_all(resources) == 0
    taken = mails(tmp_path)
    assert [mail["Subject"].partition(":")[0] for mail in taken] == [
        "Receipt",
        "Your payment has failed",
        "Refund",
    ]
    assert {mail["X-Envelope-To"] for mail in taken} == {"User1@example.com"}
    assert len({mail["Message-ID"] for mail in taken}) == 3
    assert "29.00 EUR" in taken[0].get_content()


async def test_a_mailbox_that_does_not_exist_is_given_up(
    resources: Resources, tmp_path: Path
) -> None:
    """The reason stands in the outbox, and the others are told."""
    await address(resources, 1, "bounce@example.com")
    await happen(resources, EventKind.PAYMENT_SUCCEEDED)
    await happen(resources, EventKind.PAYMENT_SUCCEEDED, user_id=2)
    assert await tell_all(resources) == 2
    assert await rows(resources) == [(True, 0, "550 no such mailbox"), (True, 0, None)]
    assert [mail["X-Envelope-To"] for mail in mails(tmp_path)] == ["User2@example.com"]


async def test_what_cannot_be_told_now_is_told_later(resources: Resources, tmp_path: Path) -> None:
    """A full mailbox, then a server that is away: each time the pause is longer."""
    await address(resources, 1, "busy@example.com")
    await happen(resources, EventKind.PAYMENT_SUCCEEDED)
    assert await tell_all(resources) == 1
    assert await tell_all(resources) == 0
    assert await rows(resources) == [(False, 1, "451 try again later")]
    later = replace(
        resources, now=lambda: NOW + timedelta(seconds=31), mail_server=MailServer("127.0.0.1", 9)
    )
    assert await tell_all(later) == 1
    [(told, tries, failure)] = await rows(resources)
    assert (told, tries) == (False, 2)
    assert "refused" in str(failure)
    await address(resources, 1, "better@example.com")
    assert await tell_all(replace(resources, now=lambda: NOW + timedelta(minutes=5))) == 1
    assert [mail["X-Envelope-To"] for mail in mails(tmp_path)] == ["better@example.com"]


async def test_without_a_mail_server_events_wait(resources: Resources) -> None:
    """Nothing is lost before there is one."""
    await happen(resources, EventKind.PAYMENT_SUCCEEDED)
    assert await tell_all(replace(resources, mail_server=None)) == 0
    assert await rows(resources) == [(False, 0, None)]
