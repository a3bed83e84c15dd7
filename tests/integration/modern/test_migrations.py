from __future__ import annotations

import sys

import pytest

from deploy.stack import Database
from deploy.stack.postgres import Postgres
from deploy.stack.program import run

TABLES = [
    "billing_history",
    "outbox",
    "payments",
    "refunds",
    "subscription_plans",
    "subscriptions",
    "users",
]


@pytest.fixture
def database(postgres_server: Postgres) -> Database:
    """Give a database without anything in it."""
    return postgres_server.create_database("modern_revisions", replace=True)


def alembic(database: Database, *arguments: str) -> str:
    """Run Alembic on the database and return what it printed; raises when it fails."""
    argv = [sys.executable, "-m", "alembic", "-c", "modern/migrations/alembic.ini", *arguments]
    return run(argv, env={"DATABASE_URL": database.sqlalchemy_url})


def tables(server: Postgres, database: Database) -> list[str]:
    """Return the names of the tables, but for Alembic's own."""
    listed = server.sql(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        " AND tablename <> 'alembic_version' ORDER BY 1",
        database.name,
    )
    return listed.split()


def test_the_revisions_make_the_tables_that_the_code_describes(
    postgres_server: Postgres, database: Database
) -> None:
    """After the upgrade there is nothing left that a new revision would have to do."""
    alembic(database, "upgrade", "head")
    assert tables(postgres_server, database) == TABLES
    alembic(database, "check")


def test_a_revision_can_be_taken_back(postgres_server: Postgres, database: Database) -> None:
    """Down to nothing and up again."""
    alembic(database, "upgrade", "head")
    alembic(database, "downgrade", "base")
    assert tables(postgres_server, database) == []
    alembic(database, "upgrade", "head")
    assert tables(postgres_server, database) == TABLES


def test_upgrading_twice_is_upgrading_once(postgres_server: Postgres, database: Database) -> None:
    """A deployment may run it every time."""
    alembic(database, "upgrade", "head")
    alembic(database, "upgrade", "head")
    assert tables(postgres_server, database) == TABLES


def test_the_sql_can_be_read_beforehand(database: Database) -> None:
    """Who may not run it can be shown it."""
    script = alembic(database, "upgrade", "head", "--sql")
    assert "CREATE UNIQUE INDEX uq_users_email_lower ON users (lower(email))" in script
    assert "CONSTRAINT fk_subscriptions_user FOREIGN KEY(user_id) REFERENCES users (id)" in script
