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


def alembic(database: Database, *commands: str) -> str:
    """Run commands of Alembic in one process and return what it printed; raises when one fails."""
    main = "from alembic.config import main; import sys; [main(c.split()) for c in sys.argv[1:]]"
    argv = [f"-c modern/migrations/alembic.ini {command}" for command in commands]
    return run([sys.executable, "-c", main, *argv], env={"DATABASE_URL": database.sqlalchemy_url})


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
    alembic(database, "upgrade head", "check")
    assert tables(postgres_server, database) == TABLES


def test_a_revision_can_be_taken_back(postgres_server: Postgres, database: Database) -> None:
    """Down to nothing and up again; and once more, because a deployment may run it every time."""
    alembic(database, "upgrade head", "downgrade base")
    assert tables(postgres_server, database) == []
    alembic(database, "upgrade head", "upgrade head")
    assert tables(postgres_server, database) == TABLES


def test_the_sql_can_be_read_beforehand(database: Database) -> None:
    """Who may not run it can be shown it."""
    script = alembic(database, "upgrade head --sql")
    assert "CREATE UNIQUE INDEX uq_users_email_lower ON users (lower(email))" in script
    assert "CONSTRAINT fk_subscriptions_user FOREIGN KEY(user_id) REFERENCES users (id)" in script
