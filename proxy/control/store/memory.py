"""A store within the process: for tests, and for what the controller must do while others fail."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from proxy.control.chain import Link
from proxy.control.interval import EVERY_ROUTE, Interval
from proxy.control.status import DecisionRecord, VersionRecord
from proxy.errors import ConflictError
from shadow_compare.store.errors import StoreError


def newest_versions(
    records: Iterable[VersionRecord], limit: int, before: int | None
) -> list[VersionRecord]:
    """Choose and order as `Store.versions` does."""
    wanted = [record for record in records if before is None or record.number < before]
    return sorted(wanted, key=lambda record: -record.number)[:limit]


def newest_decisions(
    records: Iterable[DecisionRecord], limit: int, route: str | None, before: int | None
) -> list[DecisionRecord]:
    """Choose and order as `Store.decisions` does."""
    wanted = [
        record
        for record in records
        if (before is None or record.id < before) and (route is None or record.route == route)
    ]
    return sorted(wanted, key=lambda record: -record.id)[:limit]


class MemoryStore:
    """Keeps everything until the process ends. While `problem` is set, it fails as a disk would."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self.generation = 1
        self._versions: dict[int, VersionRecord] = {}
        self._decisions: dict[int, DecisionRecord] = {}
        self._evidence: dict[str, dict[str, Any]] = {}
        self._intervals: dict[int, Interval] = {}
        self._rollups: dict[int, tuple[int, Interval]] = {}
        self._numbered = 0

    def lose_everything(self) -> None:
        """Forget it all, as when a file is deleted."""
        self._versions.clear()
        self._decisions.clear()
        self._evidence.clear()
        self._intervals.clear()
        self._rollups.clear()
        self.generation += 1

    async def latest(self) -> VersionRecord | None:
        """Give the newest version, or None in an empty store."""
        self._fail_if_told()
        return self._versions[max(self._versions)] if self._versions else None

    async def append(
        self, version: VersionRecord | None = None, decision: DecisionRecord | None = None
    ) -> Link | None:
        """Keep a version, or a decision, or both together or neither; in no chain."""
        latest = await self.latest()
        if version is not None and latest is not None and latest.number != version.parent:
            raise ConflictError(f"version {latest.number} came before version {version.number}")
        await self.restore([version] if version else [], [decision] if decision else [])
        return None

    async def restore(
        self, versions: Sequence[VersionRecord], decisions: Sequence[DecisionRecord]
    ) -> None:
        """Keep those that are missing, whatever their parents."""
        self._fail_if_told()
        for version in versions:
            self._versions.setdefault(version.number, version)
        for decision in decisions:
            self._decisions.setdefault(decision.id, decision)

    async def versions(self, limit: int = 50, before: int | None = None) -> list[VersionRecord]:
        """Give versions, newest first; with `before` only those with a smaller number."""
        self._fail_if_told()
        return newest_versions(self._versions.values(), limit, before)

    async def decisions(
        self, limit: int = 50, route: str | None = None, before: int | None = None
    ) -> list[DecisionRecord]:
        """Give decisions, newest first; with `before` only those with a smaller id."""
        self._fail_if_told()
        return newest_decisions(self._decisions.values(), limit, route, before)

    async def version(self, number: int) -> VersionRecord | None:
        """Give one version, or None."""
        self._fail_if_told()
        return self._versions.get(number)

    async def decision(self, number: int) -> DecisionRecord | None:
        """Give one decision, or None."""
        self._fail_if_told()
        return self._decisions.get(number)

    async def evidence(self) -> dict[str, dict[str, Any]]:
        """Give what was measured of each route, as `keep_evidence` was told last."""
        self._fail_if_told()
        return dict(self._evidence)

    async def keep_evidence(self, version: int, rows: Mapping[str, dict[str, Any]]) -> None:
        """Keep what was measured of some routes under the newest version."""
        latest = await self.latest()
        if latest is None or latest.number != version:
            raise ConflictError(f"version {version} is not the newest that is kept")
        self._evidence.update(rows)

    async def drop_evidence(self, routes: Collection[str]) -> None:
        """Throw away what is kept of routes other than these."""
        self._fail_if_told()
        self._evidence = {route: row for route, row in self._evidence.items() if route in routes}

    async def keep_intervals(self, intervals: Sequence[Interval]) -> None:
        """Keep the outcomes of some minutes."""
        self._fail_if_told()
        for interval in intervals:
            self._numbered += 1
            self._intervals[self._numbered] = interval

    async def intervals(
        self,
        since: float,
        until: float,
        route: str | None = None,
        limit: int = 500,
        after: int = 0,
    ) -> list[tuple[int, Interval]]:
        """Give the intervals that ended in this time, each with its number, in order of those."""
        self._fail_if_told()
        found = [
            (number, each)
            for number, each in self._intervals.items()
            if number > after
            and since <= each.at <= until
            and (route is None or each.route in (route, EVERY_ROUTE))
        ]
        return found[:limit]

    async def drop_intervals(self, before: float, most: int) -> None:
        """Throw away those that ended before this moment, and the oldest of more than `most`."""
        self._fail_if_told()
        kept = [(n, each) for n, each in self._intervals.items() if each.at >= before]
        self._intervals = dict(kept[max(0, len(kept) - most) :])

    async def keep_rollups(self, span: int, rows: Sequence[Interval]) -> None:
        """Keep roll-ups of one length."""
        self._fail_if_told()
        there = {(kept, each.route, each.at) for kept, each in self._rollups.values()}
        if any((span, row.route, row.at) in there for row in rows):
            raise StoreError("somebody else has added up the same outcomes")
        for row in rows:
            self._numbered += 1
            self._rollups[self._numbered] = (span, row)

    async def rollups(
        self,
        span: int,
        since: float,
        until: float,
        route: str | None = None,
        limit: int = 500,
        after: int = 0,
    ) -> list[tuple[int, Interval]]:
        """Give roll-ups of one length that ended in this time, with their numbers, in order."""
        self._fail_if_told()
        found = [
            (number, each)
            for number, (kept, each) in self._rollups.items()
            if (kept, route) in ((span, None), (span, each.route))
            and number > after
            and since <= each.at <= until
        ]
        return found[:limit]

    async def newest_rollup(self, span: int) -> float | None:
        """Give when the newest roll-up of this length ended."""
        self._fail_if_told()
        return max((each.at for kept, each in self._rollups.values() if kept == span), default=None)

    async def drop_rollups(self, span: int, before: float, most: int) -> None:
        """Throw away those of one length that ended before this moment, and the oldest of many."""
        self._fail_if_told()
        kept = [number for number, (each, _) in self._rollups.items() if each == span]
        for place, number in enumerate(reversed(kept)):
            if place >= most or self._rollups[number][1].at < before:
                del self._rollups[number]

    async def check(self) -> int:
        """Make sure that the store can be used; another number than before means that it is new."""
        self._fail_if_told()
        return self.generation

    async def close(self) -> None:
        """Let go of it."""

    def _fail_if_told(self) -> None:
        if self.problem is not None:
            raise StoreError(self.problem)
