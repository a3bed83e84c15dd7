from typing import cast

from sqlalchemy import QueuePool

from modern.infra.database import Database
from modern.infra.metrics import Metrics


def test_the_pool_is_as_large_as_was_decided() -> None:
    """Ten connections, twenty more under load, checked before use, renewed every hour."""
    database = Database("postgresql+asyncpg://u:p@nowhere/d", Metrics())
    pool = cast("QueuePool", database.engine.sync_engine.pool)
    assert (pool.size(), pool._max_overflow) == (10, 20)
    assert (pool._pre_ping, pool._recycle) == (True, 3600)


def test_nothing_connects_before_it_is_asked() -> None:
    """The application starts without its database, and says so by its health."""
    metrics = Metrics()
    Database("postgresql+asyncpg://u:p@nowhere/d", metrics)
    assert "db_pool_connections_in_use 0.0" in metrics.exposition().decode()
