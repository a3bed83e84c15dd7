"""A billing run that dies at any statement and is started again: all are charged, and once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import event, select, text, update

from deploy.stack import Stack
from modern.billing.tables import billing_history
from modern.events.tables import outbox
from modern.infra.database import Database
from modern.infra.resources import Resources
from modern.infra.settings import Settings
from modern.payments import flow
from modern.subscriptions.tables import subscriptions
from modern.users.tables import users
from tests.integration.modern.conftest import NOW, fill
from tests.support_processor import OwnAccount, own_account

DUE = (1, 4, 7)
"""Active subscriptions of one user that are due, each for one cycle."""

FEWEST = 30
"""Statements and commits that such a run has at least; if it had fewer, this would show less."""


class DeadError(Exception):
    """The process would be gone."""


@contextmanager
def dying_after(database: Database, number: int) -> Iterator[Counter[str]]:
    """Let so many statements and commits happen, and none after them; counts those that did."""
    done: Counter[str] = Counter()

    def count(*_: object) -> None:
        if done["happened"] >= number:
            raise DeadError
        done["happened"] += 1

    engine = database.engine.sync_engine
    for name in ("before_cursor_execute", "commit"):
        event.listen(engine, name, count)
    try:
        yield done
    finally:
        for name in ("before_cursor_execute", "commit"):
            event.remove(engine, name, count)


@pytest.fixture
def account(stack: Stack) -> OwnAccount:
    """Give an account at a running processor."""
    stack.ensure("processor")
    return own_account(stack.processor)


@pytest.fixture
def settings(settings: Settings, account: OwnAccount) -> Settings:
    """Give the settings of the application under test, with the account."""
    key = SecretStr(account.account.key)
    changes = {"stripe_url": account.account.url, "stripe_secret_key": key}
    return settings.model_copy(update=changes)


async def make_due(resources: Resources) -> None:
    """Fill the tables anew, with three cycles to bill."""
    async with resources.database.writing() as connection:
        await fill(connection)
        await connection.execute(update(users).values(payment_method="tok_visa"))
        await connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id.in_(DUE))
            .values(next_billing_date=datetime(2026, 1, 15, tzinfo=UTC))
        )


async def outcome(resources: Resources) -> dict[str, Any]:
    """Read what a run has left."""
    new = billing_history.c.id > 25
    async with resources.database.reading() as connection:
        charges = await connection.execute(
            select(billing_history.c.subscription_id, billing_history.c.status).where(new)
        )
        dates = select(subscriptions.c.next_billing_date).where(subscriptions.c.id.in_(DUE))
        found: dict[str, Any] = {
            "charges": sorted((row[0], row[1]) for row in charges),
            "dates": {moment.date().isoformat() for moment in await connection.scalars(dates)},
            "events": list(await connection.scalars(select(outbox.c.kind))),
        }
    return found


async def test_dying_at_every_statement(resources: Resources, account: OwnAccount) -> None:
    """Every point at which the run could end has been one, and the next run mends it."""
    later = replace(resources, now=lambda: NOW + timedelta(minutes=3))
    number, charged = 0, 0
    while True:
        await make_due(resources)
        with dying_after(resources.database, number) as done:
            try:
                await flow.run_all_billing(resources)
            except DeadError:
                ended = False
            else:
                ended = True
        await flow.run_all_billing(later)
        await flow.recover(later)
        assert await outcome(resources) == {
            "charges": [(one, "paid") for one in DUE],
            "dates": {"2026-02-01"},
            "events": ["payment.succeeded"] * 3,
        }, f"after dying at {number}"
        charged += len(DUE)
        assert len(account.taken()) == charged, f"after dying at {number}"
        if ended:
            break
        number += 1
    assert done["happened"] == number >= FEWEST
    async with resources.database.reading() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM payments")) == len(DUE)
