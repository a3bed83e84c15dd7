"""What stands in PostgreSQL, read beside all the hosts: whatever is cut, this is not.

The server is reached by a socket in its folder, which no network namespace hides.
"""

from __future__ import annotations

import json
from typing import Any, Final

import asyncpg

from deploy.stack.database import Database
from proxy.routing.schema import load_rules
from tests.support_hosts.record import Published, Routing
from tests.support_hosts.servers import SitePostgres

_VERSIONS: Final = "SELECT * FROM control_versions WHERE number > $1 ORDER BY number"
_LEASE: Final = "SELECT * FROM control_lease"
_PATIENCE: Final = 2.0


class Books:
    """The versions of a site and its lease; raises OSError while the server is away."""

    def __init__(self, server: SitePostgres, login: Database) -> None:
        self._server, self._login = server, login
        self._connection: asyncpg.Connection[Any] | None = None

    async def versions(self, after: int) -> list[Published]:
        """Give what has been published after a number, in order."""
        return [_published(row) for row in await self._ask(_VERSIONS, after)]

    async def holder(self) -> tuple[str, int]:
        """Give the host that holds the lease and its token; nobody and 0 while there is none."""
        rows = await self._ask(_LEASE)
        return (rows[0]["host"], rows[0]["token"]) if rows else ("", 0)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.terminate()

    async def _ask(self, sql: str, *values: object) -> list[Any]:
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
            return list(await self._connection.fetch(sql, *values, timeout=_PATIENCE))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            raise ConnectionError(str(error)) from error

    async def _connect(self) -> Any:
        login = self._login
        return await asyncpg.connect(
            host=str(self._server.folder), port=login.port, user=login.user,
            password=login.password, database=login.name, timeout=_PATIENCE,
        )  # fmt: skip


def _published(row: Any) -> Published:
    _, rules = load_rules(row["text"], "the store")
    routing = Routing(
        {route.id: route.weight for route in rules.routes},
        frozenset(json.loads(row["rolled_back"])),
        row["kill_switch"],
    )
    return Published(
        row["number"], row["parent"], row["author"], row["reason"], routing,
        row.get("token", 0), row.get("host", ""),
    )  # fmt: skip
