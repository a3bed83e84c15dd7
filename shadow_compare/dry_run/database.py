"""SQLAlchemy in a dry run: what is written is undone, and what is read meanwhile sees it.

`guard` is the net below everything: on a guarded engine no transaction of a dry run is committed.
`shared` is for applications that end a transaction and go on in another: it gives one connection
for the whole dry run, in a transaction that nobody can end, so the second sees what the first did.
"""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shadow_compare.dry_run.ids import give_ids
from shadow_compare.dry_run.run import DryRun, DryRunError, dry_run, is_dry_run

AUTOCOMMIT = "AUTOCOMMIT"


def guard(engine: Engine | AsyncEngine) -> None:
    """Let no transaction of a dry run on this engine, or one made of it, end in a commit.

    Rows that it inserts get ids that no sequence gives (see `ids`). What cannot be undone is
    refused with DryRunError: statements that are committed one by one (AUTOCOMMIT), a COMMIT
    written as text, and transactions in two phases.
    """
    guarded = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
    event.listen(guarded, "commit", _roll_back)
    event.listen(guarded, "before_execute", give_ids, retval=True)
    event.listen(guarded, "before_cursor_execute", _refuse_what_stays)
    for name in ("prepare_twophase", "commit_twophase"):
        event.listen(guarded, name, _refuse_two_phases)


async def shared(engine: AsyncEngine) -> AsyncConnection:
    """Give the one connection of this dry run to this database.

    Write in `begin_nested()` on it, or bind a session with
    `join_transaction_mode="create_savepoint"`. It is rolled back and given back to the pool when
    the application has answered. Raises DryRunError when there is no dry run, or it has ended.
    """
    run = _running()
    lock: asyncio.Lock = run.held.setdefault(_lock_of(engine), asyncio.Lock())
    async with lock:
        connection: AsyncConnection | None = run.held.get(engine)
        if connection is None:
            connection = await run.cleanup.enter_async_context(engine.connect())
            transaction = await connection.begin()
            run.cleanup.push_async_callback(transaction.rollback)
            run.held[engine] = connection
    return connection


def _running() -> DryRun:
    run = dry_run()
    if run is None:
        raise DryRunError("this is no dry run")
    if run.ended:
        raise DryRunError("this dry run has ended: what goes on after its answer is not run")
    return run


def _lock_of(engine: AsyncEngine) -> object:
    return "lock", id(engine)


def _roll_back(connection: Connection) -> None:
    """Undo the transaction that is about to be committed; the commit then finds nothing."""
    if is_dry_run():
        connection.dialect.do_rollback(connection.connection)


def _refuse_what_stays(
    connection: Connection, _cursor: object, statement: str, *_others: Any
) -> None:
    if not is_dry_run():
        return
    if _commits_each(connection):
        raise DryRunError("a statement that is committed at once cannot be undone in a dry run")
    if statement.lstrip()[:6].upper() in ("COMMIT", "PREPAR"):
        raise DryRunError("a dry run commits nothing")


def _commits_each(connection: Connection) -> bool:
    chosen = connection.get_execution_options().get("isolation_level")
    if chosen is None:
        chosen = getattr(connection.dialect, "_on_connect_isolation_level", None)
    return chosen == AUTOCOMMIT


def _refuse_two_phases(connection: Connection, *_others: Any) -> None:
    if is_dry_run():
        raise DryRunError(f"{connection.engine.url.database}: no two phases in a dry run")
