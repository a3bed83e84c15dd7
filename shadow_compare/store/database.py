"""A database behind a URL that survives its SQLite file being deleted, replaced or broken.

An open SQLite connection keeps writing into a file that has been unlinked, and nobody ever reads
what it wrote. So the file's identity (device, inode) is looked at before every use: when it is not
the one that was opened, the connections are dropped and the file that is there now is taken, with
its schema created if need be. A file that SQLite calls corrupt is set aside as `NAME.corrupt`.

A new file must not meet the write-ahead log of an old one: SQLite opens `-wal` and `-shm` by name,
so leftovers are unlinked first. Several processes may notice at once, hence the lock file: whoever
comes second finds the new file complete and leaves it alone. A connection to the old file can do
no harm when it closes later, because SQLite keeps its hands off the log once the file has moved.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, NullPool, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shadow_compare.store.errors import StoreError
from shadow_compare.store.schema import ensure_schema

BUSY_SECONDS = 5.0
"""How long one writer waits for another before it gives up."""

CONNECT_SECONDS = 5.0
"""How long PostgreSQL may take to let us in."""
COMMAND_SECONDS = 30.0
"""How long PostgreSQL may take for one statement."""
WAL_MAX = 16 * 1024 * 1024
"""Bytes to which the write-ahead log is cut back after it had to grow."""
VACUUM_PAGES = 1_000
"""Free pages given back in one go: other writers wait meanwhile."""

_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

Identity = tuple[int, int]


class _Opened:
    """Connections to one file; closed when it is given up and the last user has left.

    An engine that is disposed of earlier forgets the connections in use, and nobody closes them.
    """

    def __init__(self, engine: AsyncEngine, identity: Identity | None) -> None:
        self.engine = engine
        self.identity = identity
        self._users = 0
        self._given_up = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection."""
        self._users += 1
        try:
            async with self.engine.connect() as connection:
                yield connection
        finally:
            self._users -= 1
            await self._close_if_unused()

    async def give_up(self) -> None:
        """Close the connections as soon as nobody uses them."""
        self._given_up = True
        await self._close_if_unused()

    async def _close_if_unused(self) -> None:
        if self._given_up and not self._users:
            await self.engine.dispose()


class Database:
    """One database with the tables of `metadata`, opened when first used.

    `url` is `sqlite+aiosqlite:///PATH` or `postgresql+asyncpg://…`. `generation` grows each time
    another file than before is found, whoever made it: compare it to know that what was written
    earlier is gone.
    """

    def __init__(self, url: str, metadata: MetaData) -> None:
        self.url = make_url(url)
        self.metadata = metadata
        self.generation = 0
        self._path = _file_of(self.url)
        self._opened: _Opened | None = None
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that is allowed to write; commits at the end, rolls back on an error.

        Raises StoreError when the database cannot be used; IntegrityError passes as it is.
        """
        async with self._transaction({}) as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that only reads, and so waits for no writer; raises StoreError."""
        async with self._transaction({"cutover_reads": True}) as connection:
            yield connection

    async def check(self) -> int:
        """Make sure that the database is there, and give its generation; raises StoreError."""
        async with self.read():
            return self.generation

    async def compact(self) -> None:
        """Give the space of what was deleted back to the disk; raises StoreError.

        PostgreSQL does by itself what is to be done: autovacuum makes the space usable again.
        """
        if self._path is None:
            return
        before, free = -1, 0
        while free != before:  # a file that an earlier version made gives nothing back
            async with self.begin() as connection:
                steps = await connection.execute(text(f"PRAGMA incremental_vacuum({VACUUM_PAGES})"))
                steps.close()
                found = await connection.execute(text("PRAGMA freelist_count"))
                before, free = free, int(found.scalar_one())

    async def close(self) -> None:
        """Close every connection that is not in use; the next use opens new ones."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.give_up()

    @asynccontextmanager
    async def _transaction(self, options: dict[str, Any]) -> AsyncIterator[AsyncConnection]:
        opened: _Opened | None = None
        try:
            opened = await self._current()
            async with opened.connection() as connection:
                await connection.execution_options(**options)
                async with connection.begin():
                    yield connection
        except IntegrityError:
            raise
        except Exception as error:
            if not _is_of_database(error):
                raise
            if opened is not None and _is_corrupt(error):
                await self._set_aside(opened)
            raise StoreError(f"{self._name()}: {_cause(error)}") from error

    async def _current(self) -> _Opened:
        if self._opened is not None and self._is_the_same_file(self._opened):
            return self._opened
        async with self._opening:
            opened = self._opened
            if opened is None or not self._is_the_same_file(opened):
                await self.close()
                opened = self._opened = await self._open()
                self.generation += 1
            return opened

    async def _open(self) -> _Opened:
        if self._path is not None:
            identity = await asyncio.to_thread(_prepare_file, self._path, self.metadata)
            engine = create_async_engine(self.url, connect_args={"timeout": BUSY_SECONDS})
            event.listen(engine.sync_engine, "connect", _on_connect)
            event.listen(engine.sync_engine, "begin", _on_begin)
            return _Opened(engine, identity)
        engine = create_async_engine(
            self.url,
            pool_pre_ping=True,
            connect_args={"timeout": CONNECT_SECONDS, "command_timeout": COMMAND_SECONDS},
        )
        try:
            async with engine.begin() as connection:
                await connection.run_sync(ensure_schema, self.metadata)
        except BaseException:
            await engine.dispose()
            raise
        return _Opened(engine, None)

    def _is_the_same_file(self, opened: _Opened) -> bool:
        return self._path is None or _identity(self._path) == opened.identity

    async def _set_aside(self, broken: _Opened) -> None:
        if self._path is None:
            return
        if self._opened is broken:
            await self.close()
        await asyncio.to_thread(_set_aside, self._path, broken.identity)

    def _name(self) -> str:
        return self._path.name if self._path else self.url.render_as_string(hide_password=True)


def _file_of(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database or url.database == ":memory:":
        raise ValueError(f"{url}: name a file; a database in memory would be a new one each time")
    return Path(url.database)


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _prepare_file(path: Path, metadata: MetaData) -> Identity | None:
    """Make sure that `path` is a database with our tables, and give its identity."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        try:
            _create_schema(path, metadata)
        except DBAPIError as error:
            if not _is_corrupt(error):
                raise
            _move_away(path)
            _create_schema(path, metadata)
        return _identity(path)


def _create_schema(path: Path, metadata: MetaData) -> None:
    if not path.exists():
        _unlink_log(path)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(path)) as fresh:
            fresh.execute("PRAGMA auto_vacuum = INCREMENTAL")  # can only be said of an empty file
            fresh.execute("VACUUM")
    engine = create_engine(
        f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS}
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    with engine.begin() as connection:
        ensure_schema(connection, metadata)


def _set_aside(path: Path, identity: Identity | None) -> None:
    with _locked(path):
        if identity is not None and _identity(path) == identity:
            _move_away(path)


def _move_away(path: Path) -> None:
    path.replace(path.with_name(f"{path.name}.corrupt"))
    _unlink_log(path)


def _unlink_log(path: Path) -> None:
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.with_name(f"{path.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _on_connect(connection: Any, _record: object) -> None:
    # The driver's own BEGIN comes too late: it leaves reads outside of any transaction, and a
    # reader that turns writer fails at once with "locked" instead of waiting. We say BEGIN.
    try:
        connection.isolation_level = None
        with closing(connection.cursor()) as cursor:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute(f"PRAGMA journal_size_limit = {WAL_MAX}")
            cursor.execute("PRAGMA synchronous = NORMAL")
            cursor.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()  # the pool has not taken it yet, so nobody else would
        raise


def _on_begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("cutover_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _is_of_database(error: Exception) -> bool:
    """Whether the database is what fails; asyncpg's own errors come bare while it connects."""
    if isinstance(error, SQLAlchemyError | sqlite3.Error | OSError):
        return True
    return type(error).__module__.partition(".")[0] == "asyncpg"


def _is_corrupt(error: Exception) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlite_errorcode", None) in _CORRUPT


def _cause(error: Exception) -> str:
    return str(error.orig if isinstance(error, DBAPIError) else error)
