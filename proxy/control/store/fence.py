"""Only the acting controller writes: its token is compared within each transaction that does.

The row is locked against a change until the transaction ends. Whoever takes the lease meanwhile
waits for that, and so reads everything that was written under the token before; and whoever was
succeeded is refused. One that stands still within a transaction would make the others wait: the
database ends it after a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from proxy.control.store.tables import lease
from shadow_compare.store.errors import StoreError


class FencedError(StoreError):
    """Another controller acts by now; nothing that this one writes counts any more."""


class Fence:
    """One term's token; `on_lost` is told when it is no longer the newest."""

    def __init__(
        self, token: int, host: str = "", on_lost: Callable[[], None] = lambda: None
    ) -> None:
        self.token: Final = token
        self.host: Final = host
        self._on_lost = on_lost

    async def check(self, connection: AsyncConnection) -> None:
        """Hold the token for the rest of a transaction; raises FencedError."""
        brief = func.set_config("idle_in_transaction_session_timeout", "1s", True)
        query = select(lease.c.token, brief).with_for_update(read=True)
        newest = (await connection.execute(query)).scalar()
        if newest != self.token:
            self._on_lost()
            raise FencedError(
                f"another controller acts, with token {newest}; ours was {self.token}"
            )
