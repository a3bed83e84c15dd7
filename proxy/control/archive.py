"""What can be read of what was decided, whether this controller acts or stands by."""

from __future__ import annotations

from collections.abc import AsyncIterator

from proxy.control.in_force import InForce
from proxy.control.interval import Interval
from proxy.control.journal import Journal
from proxy.control.status import DecisionRecord, VersionRecord
from proxy.errors import NotFoundError
from proxy.routing.rules import Rules


class Archive:
    """The rules in force; versions, decisions and outcomes from the journal; when they are new."""

    def __init__(self, journal: Journal, in_force: InForce) -> None:
        self._journal = journal
        self._in_force = in_force

    def rules(self) -> Rules | None:
        """The rules in force, read already; None before there are any."""
        return self._in_force.state.loaded.rules if self._in_force.started else None

    async def versions(self, limit: int = 50, before: int | None = None) -> list[VersionRecord]:
        """List versions, newest first."""
        return await self._journal.versions(limit, before)

    async def version(self, number: int, /) -> VersionRecord:
        """One version; raises NotFoundError."""
        record = await self._journal.version(number)
        if record is None:
            raise NotFoundError(f"there is no version {number}")
        return record

    async def decisions(
        self, limit: int = 50, route: str | None = None, before: int | None = None
    ) -> list[DecisionRecord]:
        """List decisions, newest first."""
        return await self._journal.decisions(limit, route, before)

    async def decision(self, number: int, /) -> DecisionRecord:
        """One decision; raises NotFoundError."""
        record = await self._journal.decision(number)
        if record is None:
            raise NotFoundError(f"there is no decision {number}")
        return record

    async def outcomes(
        self,
        since: float,
        until: float,
        route: str | None = None,
        limit: int = 500,
        after: int = 0,
    ) -> list[tuple[int, Interval]]:
        """Give recorded outcomes by the minute, as `Store.intervals` does."""
        return await self._journal.intervals(since, until, route, limit, after)

    async def rollups(
        self,
        span: int,
        since: float,
        until: float,
        route: str | None = None,
        limit: int = 500,
        after: int = 0,
    ) -> list[tuple[int, Interval]]:
        """Give outcomes added up to intervals of `span` seconds, as `Store.rollups` does."""
        return await self._journal.rollups(span, since, until, route, limit, after)

    def changed(self) -> AsyncIterator[int]:
        """Yield the version whenever one is in force or a decision is taken, until the end."""
        return self._in_force.changed()
