"""The database: one pool of connections for the process, one connection for a request.

In a dry run, all of a request goes over one connection, in a transaction that is rolled back.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import cast

from sqlalchemy import Engine, QueuePool, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from modern.infra.metrics import Metrics
from shadow_compare.dry_run import is_dry_run
from shadow_compare.dry_run.database import guard, shared

CONNECT_SECONDS = 5.0
STATEMENT_SECONDS = 15.0

# The events of a cursor pass: connection, cursor, statement, parameters, context, executemany.
_CONTEXT = 4
_STARTED = "billing_started_at"


class Database:
    """PostgreSQL through a pool of 10 connections that may grow to 30 under load."""

    def __init__(self, url: str, metrics: Metrics) -> None:
        self.engine = create_async_engine(
            url,
            pool_size=10,
            max_overflow=20,
            pool_pre_ping=True,
            pool_recycle=3600,
            pool_timeout=CONNECT_SECONDS,
            connect_args={
                "timeout": CONNECT_SECONDS,
                "command_timeout": STATEMENT_SECONDS,
                # Compiling a plan to machine code costs more than these short statements take.
                "server_settings": {"application_name": "billing-modern", "jit": "off"},
            },
        )
        # Shares the pool. A single SELECT needs no BEGIN before and no ROLLBACK after it: those
        # are two of three round trips.
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        guard(self.engine)
        _observe(self.engine.sync_engine, metrics)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection on which every statement stands alone."""
        if is_dry_run():
            yield await shared(self.engine)
            return
        async with self._autocommit.connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection in a transaction, committed at the end, rolled back on any exception.

        This is the commit of the request (or of the job): services and repositories never do.
        """
        if is_dry_run():
            connection = await shared(self.engine)
            async with connection.begin_nested():
                yield connection
            return
        async with self.engine.begin() as connection:
            yield connection

    async def ping(self) -> None:
        """Ask the server for an answer; raises whatever prevents one."""
        async with self.reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def _observe(engine: Engine, metrics: Metrics) -> None:
    def started(*arguments: object) -> None:
        vars(arguments[_CONTEXT])[_STARTED] = perf_counter()

    def finished(*arguments: object) -> None:
        metrics.query_duration.observe(perf_counter() - vars(arguments[_CONTEXT])[_STARTED])

    pool = cast("QueuePool", engine.pool)
    event.listen(engine, "before_cursor_execute", started)
    event.listen(engine, "after_cursor_execute", finished)
    metrics.pool_connections.set_function(pool.checkedout)
