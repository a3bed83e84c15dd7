from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from deploy.stack.postgres import Postgres
from proxy.control.store.sql import SqlStore
from proxy.control.store.tables import metadata
from shadow_compare.store.database import Database
from tests.contracts.store import StoreContract


@pytest.fixture(scope="module")
def url(postgres_server: Postgres) -> str:
    """Give the URL of a PostgreSQL database for the control plane alone."""
    return postgres_server.create_database("control", replace=True).sqlalchemy_url


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    """Give an empty store."""
    database = Database(url, metadata)
    async with database.begin() as connection:
        for table in metadata.sorted_tables:
            await connection.execute(table.delete())
    await database.close()
    store = SqlStore(url)
    yield store
    await store.close()


class TestPostgresql(StoreContract):
    """The store in a real PostgreSQL."""
