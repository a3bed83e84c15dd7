"""The modern application inside the test's own process, over a real PostgreSQL and a real Redis.

It has a database of its own, filled anew for each test with a few rows, and a clock that stands.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.stack import Database
from deploy.stack.postgres import Postgres
from deploy.stack.redis import Redis
from deploy.stack.task import migrate_modern
from modern.app import create_app
from modern.billing.tables import billing_history
from modern.infra.resources import Resources
from modern.infra.settings import Settings
from modern.plans.service import PlanService
from modern.plans.tables import subscription_plans
from modern.subscriptions.tables import subscriptions
from modern.users.tables import users

NOW = datetime(2026, 1, 31, 12, 30, 15, 987654, UTC)
THEN = datetime(2024, 3, 1, 10, 0, tzinfo=UTC)
REDIS_DATABASE = 7

PLANS = [
    ("Basic", 990, "monthly", 14, {"seats": 1, "support": "email"}, True),
    ("Team", 2900, "monthly", 14, {"seats": 10}, True),
    ("Archive", 9900, "yearly", 0, {}, True),
    ("Old", 100, "monthly", 0, {}, False),
]
STATUSES = ("active", "cancelled", "past_due")


@pytest.fixture(scope="session")
def billing_database(postgres_server: Postgres) -> Database:
    """Give a database with the newest schema and no rows."""
    database = postgres_server.create_database("modern_tests")
    migrate_modern(database)
    return database


@pytest.fixture
def settings(billing_database: Database, redis_server: Redis) -> Settings:
    """Give the settings of the application under test."""
    return Settings(
        database_url=SecretStr(billing_database.sqlalchemy_url),
        redis_url=SecretStr(redis_server.url(REDIS_DATABASE)),
        secret_key=SecretStr("0123456789abcdef"),
    )


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """Give the application, started, on fresh rows and an empty cache."""
    app = create_app(settings, now=lambda: NOW)
    async with app.router.lifespan_context(app):
        resources: Resources = app.state.resources
        await PlanService(resources.database, resources.cache).expire()
        async with resources.database.writing() as connection:
            await fill(connection)
        yield app


@pytest.fixture
def resources(app: FastAPI) -> Resources:
    """Give what the application works with."""
    held: Resources = app.state.resources
    return held


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the application; failures are answered, not raised."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://modern") as client:
        yield client


async def fill(connection: AsyncConnection) -> None:
    """Put 4 plans, 3 users, 45 subscriptions of the second, and 25 charges of its first."""
    await connection.execute(
        text(
            "TRUNCATE users, subscription_plans, subscriptions, billing_history, payments, refunds,"
            " outbox RESTART IDENTITY"
        )
    )
    await connection.execute(
        subscription_plans.insert(),
        [
            {
                "name": name,
                "description": f"{name} für alle",
                "price_minor": price,
                "currency": "EUR",
                "billing_cycle": cycle,
                "trial_days": trial,
                "features": features,
                "is_active": active,
                "created_at": THEN,
            }
            for name, price, cycle, trial, features, active in PLANS
        ],
    )
    await connection.execute(users.insert(), [_user(number) for number in (1, 2, 3)])
    await connection.execute(
        subscriptions.insert(),
        [
            {
                "user_id": 2,
                "plan_id": 1 + number % 3,
                "status": STATUSES[number % 3],
                "next_billing_date": datetime(2026, 2, 28, tzinfo=UTC),
                "started_at": THEN,
                "created_at": THEN,
            }
            for number in range(45)
        ],
    )
    await connection.execute(billing_history.insert(), [_charge(number) for number in range(1, 26)])


def _user(number: int) -> dict[str, object]:
    return {
        "email": f"User{number}@example.com",
        "name": f"Zoë Nº{number}",
        "password_hash": "$argon2id$nobody",
        "country": "DE",
        "phone": None if number == 1 else "+49 30 1234",
        "birthday": date(1984, 2, 29) if number == 1 else None,
        "last_login_at": THEN if number == 2 else None,
        "created_at": THEN,
    }


def _charge(number: int) -> dict[str, object]:
    billed = THEN + timedelta(days=number)
    return {
        "subscription_id": 1,
        "user_id": 2,
        "amount_minor": 990 + number,
        "currency": "EUR",
        "status": "paid" if number % 2 else "failed",
        "description": "Basic, 1 month",
        "billed_at": billed,
        "paid_at": billed + timedelta(seconds=2) if number % 2 else None,
    }
