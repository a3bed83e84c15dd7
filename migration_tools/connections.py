"""Opens both databases, and says in words what keeps them shut.

The sessions are set so that nothing of the server's configuration changes what we read: the
session's zone is UTC (a TIMESTAMP is shown in it), text arrives as utf8mb4, and the SQL mode
forbids nothing, because we read zero dates.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiomysql
import asyncpg
import pymysql.err

from migration_tools.addresses import SourceAddress, TargetAddress
from migration_tools.errors import DatabaseError, MigrationError, SchemaDriftError, UnreachableError

PROGRAM = "cutover-migration"  # how the servers' process lists show us
CONNECT_SECONDS = 10
LOCK_WAIT = "10s"
WRONG_PASSWORD, NO_RIGHTS, NO_DATABASE = 1045, 1044, 1049
CANNOT_CONNECT, SERVER_LEFT, DEFINITION_CHANGED = {2002, 2003}, {2006, 2013, 2014}, 1412

# A killed copy must not keep its locks until the statement it was killed in is through; PostgreSQL
# looks for the client only when told to, and has this setting since version 14.
_NOTICE_A_DEAD_CLIENT = """
SELECT set_config(name, '1s', false) FROM pg_settings
WHERE name = 'client_connection_check_interval'
"""

SourceConnection = Any  # aiomysql.Connection: the library ships no types
TargetConnection = Any  # asyncpg.Connection: likewise


class _QuietCursor(aiomysql.Cursor):  # type: ignore[misc] # the library ships no types
    """A cursor that does not ask for MySQL's notes: a zero date we handle is no news."""

    async def _show_warnings(self, _conn: SourceConnection) -> None:
        return


@asynccontextmanager
async def open_source(address: SourceAddress) -> AsyncIterator[SourceConnection]:
    """Yield a connection that reads one consistent snapshot; raise UnreachableError."""
    with source_errors(address):
        connection = await aiomysql.connect(
            host=address.host,
            port=address.port,
            unix_socket=address.unix_socket,
            user=address.user,
            password=address.password,
            db=address.database,
            charset="utf8mb4",
            conv={},  # raw text for every type: `convert` reads it, and zero dates survive
            cursorclass=_QuietCursor,
            connect_timeout=CONNECT_SECONDS,
            program_name=PROGRAM,
            init_command="SET time_zone = '+00:00', sql_mode = ''",
            autocommit=True,
        )
    try:
        with source_errors(address):
            async with connection.cursor() as cursor:
                await cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                await cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            yield connection
    finally:
        connection.close()


@asynccontextmanager
async def open_target(address: TargetAddress) -> AsyncIterator[TargetConnection]:
    """Yield a connection to a Unicode target; raise UnreachableError, SchemaDriftError."""
    with target_errors(address):
        connection = await asyncpg.connect(
            address.dsn,
            timeout=CONNECT_SECONDS,
            server_settings={"application_name": PROGRAM},
        )
    try:
        with target_errors(address):
            encoding = await connection.fetchval("SHOW server_encoding")
            if encoding != "UTF8":
                raise SchemaDriftError(
                    f"the target {address} stores text as {encoding}, which cannot hold every "
                    "name; create it with ENCODING 'UTF8'"
                )
            await connection.execute(f"SET lock_timeout = '{LOCK_WAIT}'")
            await connection.execute(_NOTICE_A_DEAD_CLIENT)
            yield connection
            await connection.close(timeout=CONNECT_SECONDS)
    finally:
        connection.terminate()  # nothing left to do when it was closed


@contextmanager
def source_errors(address: SourceAddress) -> Iterator[None]:
    """Turn what the MySQL library raises into an error with words."""
    try:
        yield
    except pymysql.err.Error as error:
        raise _source_error(address, error) from error
    except UnicodeDecodeError as error:
        raise DatabaseError(
            f"the source {address} sent bytes that are not UTF-8: {error.reason}; "
            "is a column declared with the wrong character set?"
        ) from error
    except (OSError, TimeoutError) as error:
        raise UnreachableError(f"the source {address} does not answer: {_words(error)}") from error


@contextmanager
def target_errors(address: TargetAddress) -> Iterator[None]:
    """Turn what the PostgreSQL library raises into an error with words."""
    try:
        yield
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise UnreachableError(f"the target {address} lets nobody in: {error}") from error
    except asyncpg.InvalidCatalogNameError as error:
        raise UnreachableError(f"the target {address} does not exist: {error}") from error
    except asyncpg.LockNotAvailableError as error:
        raise DatabaseError(
            f"the target {address} is in use: a lock was not free within {LOCK_WAIT}; "
            "stop what writes to it and try again"
        ) from error
    except asyncpg.PostgresError as error:
        detail = f" ({error.detail})" if getattr(error, "detail", None) else ""
        raise DatabaseError(f"the target {address} refused: {error}{detail}") from error
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise DatabaseError(f"the target {address} went away: {error}") from error
    except (OSError, TimeoutError) as error:
        raise UnreachableError(f"the target {address} does not answer: {_words(error)}") from error


def _words(error: OSError) -> str:
    return str(error) or "time is up"


def _source_error(address: SourceAddress, error: pymysql.err.Error) -> MigrationError:
    code = error.args[0] if error.args else 0
    words = error.args[-1] if error.args else str(error)
    if code == WRONG_PASSWORD:
        return UnreachableError(f"the source {address} refused user and password: {words}")
    if code == NO_RIGHTS:
        return UnreachableError(f"the source {address} gives {address.user} no rights: {words}")
    if code == NO_DATABASE:
        return UnreachableError(f"the source {address} does not exist: {words}")
    if code in CANNOT_CONNECT:
        return UnreachableError(f"the source {address} does not answer: {words}")
    if code in SERVER_LEFT:
        return DatabaseError(f"the source {address} went away: {words}")
    if code == DEFINITION_CHANGED:
        return SchemaDriftError(f"a table of the source {address} was altered meanwhile: {words}")
    return DatabaseError(f"the source {address} refused: {words}")
