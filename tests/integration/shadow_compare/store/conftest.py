"""Databases of both kinds for the store: a SQLite file, and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.stack.postgres import Postgres
from shadow_compare.store.database import Database
from shadow_compare.store.tables import metadata


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Postgres) -> str:
    """Give the URL of a PostgreSQL database for comparisons alone."""
    return postgres_server.create_database("comparisons", replace=True).sqlalchemy_url


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """Give an empty database of either kind."""
    if request.param == "sqlite":
        found = Database(f"sqlite+aiosqlite:///{tmp_path / 'cutover.db'}", metadata)
    else:
        found = Database(request.getfixturevalue("postgres_url"), metadata)
        async with found.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                await connection.execute(table.delete())
    yield found
    await found.close()
