"""The lease within one process, for tests: several hosts share one `MemoryTable`."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.clock import Clock
from proxy.control.hosts.lease import FORGET, HostSeen, Report, View
from proxy.control.hosts.tenure import TTL
from proxy.errors import ConflictError
from shadow_compare.store.errors import StoreError


@dataclass
class MemoryTable:
    """What PostgreSQL would keep; its clock is the database's."""

    clock: Clock
    token: int = 0
    host: str = ""
    place: str = ""
    until: float = 0.0
    version: int = 0
    hosts: dict[str, tuple[Report, float]] = field(default_factory=dict)


class MemoryLease:
    """One host's view of the table. While `problem` is set it fails as a database would."""

    def __init__(self, table: MemoryTable) -> None:
        self.problem: str | None = None
        self._table = table

    async def beat(self, me: Report, token: int | None, *, wants: bool) -> View:
        """Report; renew the lease, or take it if it is free and wanted."""
        self._fail_if_told()
        table, now = self._table, self._table.clock.monotonic()
        known = table.hosts.get(me.name)
        if known is not None and known[0].place != me.place and now - known[1] < TTL:
            raise ConflictError(f"another proxy is called {me.name}, too")
        table.hosts[me.name] = me, now
        granted = token is not None and token == table.token
        if token is None and wants and (table.until < now or table.place == me.place):
            table.token = max(table.token, me.token) + 1
            table.host, table.place, granted = me.name, me.place, True
        if granted:
            table.until = now + TTL
        seen = [
            HostSeen(
                name, each.place, each.url, now - at, each.bus, each.version, each.problem,
                each.keys,
            )
            for name, (each, at) in sorted(table.hosts.items())
            if now - at < FORGET
        ]  # fmt: skip
        acting = table.host if table.until > now else None
        return View(table.token, acting, granted, tuple(seen), table.version)

    async def release(self, token: int) -> None:
        """Let go of a lease."""
        self._fail_if_told()
        if token == self._table.token:
            self._table.until, self._table.place = 0.0, ""

    async def close(self) -> None:
        """Let go of it."""

    def _fail_if_told(self) -> None:
        if self.problem is not None:
            raise StoreError(self.problem)
