"""What the controller remembers beyond its own life: versions of the routing, and decisions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from proxy.control.chain import Link
from proxy.control.interval import Interval
from proxy.control.status import DecisionRecord, VersionRecord


class Store(Protocol):
    """Keeps versions and decisions; every method raises StoreError while that is not possible."""

    async def latest(self) -> VersionRecord | None:
        """Give the newest version, or None in an empty store."""
        ...

    async def append(
        self, version: VersionRecord | None = None, decision: DecisionRecord | None = None
    ) -> Link | None:
        """Keep a version, or a decision, or both together or neither.

        Gives the entry of the journal that holds them, if it is a chain. Raises ConflictError
        unless the version's parent is the newest version kept (an empty store takes any): somebody
        else came first.
        """
        ...

    async def restore(
        self, versions: Sequence[VersionRecord], decisions: Sequence[DecisionRecord]
    ) -> None:
        """Keep those that are missing, whatever their parents: for a store that lost its file."""
        ...

    async def versions(self, limit: int = 50, before: int | None = None) -> list[VersionRecord]:
        """Give versions, newest first; with `before` only those with a smaller number."""
        ...

    async def decisions(
        self, limit: int = 50, route: str | None = None, before: int | None = None
    ) -> list[DecisionRecord]:
        """Give decisions, newest first; with `before` only those with a smaller id."""
        ...

    async def version(self, number: int) -> VersionRecord | None:
        """Give one version, or None."""
        ...

    async def decision(self, number: int) -> DecisionRecord | None:
        """Give one decision, or None."""
        ...

    async def evidence(self) -> dict[str, dict[str, Any]]:
        """Give what was measured of each route, as `keep_evidence` was told last."""
        ...

    async def keep_evidence(self, version: int, rows: Mapping[str, dict[str, Any]]) -> None:
        """Keep what was measured of some routes under a version, instead of what was kept of them.

        Raises ConflictError unless that version is the newest one kept: evidence under rules that
        are no longer in force is none.
        """
        ...

    async def drop_evidence(self, routes: Collection[str]) -> None:
        """Throw away what is kept of routes other than these."""
        ...

    async def keep_intervals(self, intervals: Sequence[Interval]) -> None:
        """Keep the outcomes of some minutes."""
        ...

    async def intervals(
        self,
        since: float,
        until: float,
        route: str | None = None,
        limit: int = 500,
        after: int = 0,
    ) -> list[tuple[int, Interval]]:
        """Give the intervals that ended in this time, each with its number, in order of those.

        With a route, of that one, and those that only say that somebody watched; with `after`, only
        those with a larger number.
        """
        ...

    async def drop_intervals(self, before: float, most: int) -> None:
        """Throw away those that ended before this moment, and the oldest of more than `most`."""
        ...

    async def keep_rollups(self, span: int, rows: Sequence[Interval]) -> None:
        """Keep roll-ups of `span` seconds; raises StoreError when they are there already."""
        ...

    async def rollups(
        self,
        span: int,
        since: float,
        until: float,
        route: str | None = None,
        limit: int = 500,
        after: int = 0,
    ) -> list[tuple[int, Interval]]:
        """Give roll-ups of `span` seconds as `intervals` does; with a route only its own."""
        ...

    async def newest_rollup(self, span: int) -> float | None:
        """Give when the newest roll-up of `span` seconds ended; None without any."""
        ...

    async def drop_rollups(self, span: int, before: float, most: int) -> None:
        """Throw away roll-ups of `span` seconds, as `drop_intervals` does."""
        ...

    async def check(self) -> int:
        """Make sure that the store can be used; another number than before means that it is new."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...
