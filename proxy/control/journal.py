"""Between the controller and its store: what was decided is remembered, written, and read back.

Safety comes before bookkeeping: adding a record never waits and never fails. What the store cannot
take now is kept and tried again, and reading goes on from memory meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Any

from proxy.control.chain import Link
from proxy.control.interval import Interval
from proxy.control.status import DecisionRecord, VersionRecord
from proxy.control.store.base import Store
from proxy.control.store.memory import newest_decisions, newest_versions
from proxy.errors import ConflictError, RefusedError, UnwrittenError
from shadow_compare.store.errors import StoreError

log = logging.getLogger(__name__)

REMEMBERED = 500
"""Versions, and decisions, that are kept in memory, to be read and to be written again."""

ENTERED_WITHIN = 1.0
"""Seconds for which somebody who wants the entry of a decision waits until it is written."""

Entry = tuple[VersionRecord | None, DecisionRecord | None]


class Journal:
    """`problem` says why the store does not hold everything; None while it does.

    `unwritten` is set when something was added since the last attempt to write. `binding`: all
    hosts agree in the store, and what it does not have may be lost with this one. `on_written` is
    told up to which version the store has everything.
    """

    def __init__(
        self,
        store: Store,
        *,
        binding: bool = False,
        on_written: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.problem: str | None = None
        self.last_decision = 0
        self.unwritten = asyncio.Event()
        self._store = store
        self._binding = binding
        self._on_written = on_written
        self._versions: deque[VersionRecord] = deque(maxlen=REMEMBERED)
        self._decisions: deque[DecisionRecord] = deque(maxlen=REMEMBERED)
        self._pending: deque[Entry] = deque(maxlen=REMEMBERED)
        self._writing = asyncio.Lock()
        self._generation: int | None = None
        self._entries: dict[int, Link] = {}
        self._entered = asyncio.Event()

    async def open(self, also: VersionRecord | None) -> VersionRecord | None:
        """Give the newest version known, to the store or as `also`; a broken store is no obstacle.

        Unless it binds: then it raises UnwrittenError, for others may have gone further. `also` is
        the second memory, what was published last: it wins when the store has lost something.
        """
        stored: VersionRecord | None = None
        try:
            self._generation = await self._store.check()
            stored = await self._store.latest()
            decisions = await self._store.decisions(limit=REMEMBERED)
            self._decisions.extend(reversed(decisions))
            self.last_decision = decisions[0].id if decisions else 0
        except StoreError as error:
            self._trouble(error)
            if self._binding:
                raise UnwrittenError(f"the store cannot be read: {error}") from error
        newest = max((r for r in (stored, also) if r is not None), key=_number, default=None)
        if newest is not None:
            self._versions.append(newest)
            # Every version came with a decision: ids go on growing even when those were lost.
            self.last_decision = max(self.last_decision, newest.number)
        if newest is not None and newest is not stored:
            self._generation = None  # to be restored as if the store were a new one
        elif newest is not None:
            self._on_written(newest.number)
        return newest

    def add(
        self, version: VersionRecord | None = None, decision: DecisionRecord | None = None
    ) -> None:
        """Remember a version, a decision, or both; `flush` writes them."""
        if version is not None:
            self._versions.append(version)
        if decision is not None:
            self._decisions.append(decision)
            self.last_decision = max(self.last_decision, decision.id)
        self._pending.append((version, decision))
        self.unwritten.set()

    async def flush(self) -> None:
        """Write what is not written yet; on failure it stays for the next attempt."""
        async with self._writing:
            self.unwritten.clear()
            try:
                # Where the store binds, whatever is written asks whether it may be.
                if not self._binding or not self._pending or self._generation is None:
                    await self._mend()
                while self._pending:
                    entry = self._pending[0]
                    self._enter(entry, await self._store.append(*entry))
                    self._written((entry,))
                self._fine()
            except StoreError as error:
                self._trouble(error)
            except ConflictError:
                # The store has another history than we: a file put back from a copy, or records
                # that reached it although it reported a failure. What is missing is added to it.
                self._generation = None
                await self._restore_only()

    async def confirm(self) -> None:
        """Write what is not written yet; raises UnwrittenError if that binds and is impossible."""
        await self.flush()
        if self._binding and self.problem is not None:
            raise UnwrittenError(
                "it is not in the store, and may be lost when another host takes over:"
                f" {self.problem}"
            )

    async def entry(self, decision: int, within: float = ENTERED_WITHIN) -> Link | None:
        """Give the entry of the chain that holds a decision; None if it is not written in time.

        Those are known that this process has written, as far as memory goes.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while decision not in self._entries:
                    await self._entered.wait()
        return self._entries.get(decision)

    async def evidence(self) -> dict[str, dict[str, Any]]:
        """Give what was kept of measurements; a broken store only costs time: they begin anew."""
        try:
            return await self._store.evidence()
        except StoreError as error:
            self._trouble(error)
            return {}

    async def keep_evidence(self, version: int, rows: Mapping[str, dict[str, Any]]) -> None:
        """Keep measurements made under a version, if all that leads to it has been written."""
        async with self._writing:
            if self._pending or self.problem is not None:
                return
            try:
                await self._store.keep_evidence(version, rows)
            except StoreError as error:
                self._trouble(error)
            except ConflictError:
                log.debug("version %d was no longer the newest; its evidence is not kept", version)

    async def drop_evidence(self, routes: Collection[str]) -> None:
        """Throw away what is kept of routes that are no more; what cannot be now is later."""
        try:
            await self._store.drop_evidence(routes)
        except StoreError as error:
            self._trouble(error)

    async def intervals(
        self, since: float, until: float, route: str | None, limit: int, after: int
    ) -> list[tuple[int, Interval]]:
        """Give recorded outcomes, as the store has them; raises RefusedError while it has not."""
        try:
            return await self._store.intervals(since, until, route, limit, after)
        except StoreError as error:
            self._trouble(error)
            raise RefusedError(f"the store cannot be read: {error}") from error

    async def rollups(
        self, span: int, since: float, until: float, route: str | None, limit: int, after: int
    ) -> list[tuple[int, Interval]]:
        """Give outcomes added up, as the store has them; raises RefusedError while it has not."""
        try:
            return await self._store.rollups(span, since, until, route, limit, after)
        except StoreError as error:
            self._trouble(error)
            raise RefusedError(f"the store cannot be read: {error}") from error

    async def versions(self, limit: int, before: int | None) -> list[VersionRecord]:
        """Give versions, newest first: from the store, or as far as memory goes."""
        remembered = newest_versions(self._versions, limit, before)
        try:
            stored = await self._store.versions(limit, before)
        except StoreError as error:
            self._trouble(error)
            stored = []
        merged = {record.number: record for record in (*stored, *remembered)}
        return newest_versions(merged.values(), limit, before)

    async def decisions(
        self, limit: int, route: str | None, before: int | None
    ) -> list[DecisionRecord]:
        """Give decisions, newest first: from the store, or as far as memory goes."""
        remembered = newest_decisions(self._decisions, limit, route, before)
        try:
            stored = await self._store.decisions(limit, route, before)
        except StoreError as error:
            self._trouble(error)
            stored = []
        merged = {record.id: record for record in (*stored, *remembered)}
        return newest_decisions(merged.values(), limit, route, before)

    async def version(self, number: int) -> VersionRecord | None:
        """Give one version, or None."""
        for record in self._versions:
            if record.number == number:
                return record
        found = await self.versions(limit=1, before=number + 1)
        return found[0] if found and found[0].number == number else None

    async def decision(self, number: int) -> DecisionRecord | None:
        """Give one decision, or None."""
        found = await self.decisions(limit=1, route=None, before=number + 1)
        return found[0] if found and found[0].id == number else None

    async def close(self) -> None:
        """Write what can be written, and let go of the store."""
        await self.flush()
        await self._store.close()

    async def abandon(self) -> None:
        """Let go of the store as it is."""
        await self._store.close()

    async def _mend(self) -> None:
        """Write again what is remembered, if the store is another one than before."""
        generation = await self._store.check()
        if generation != self._generation:
            pending = tuple(self._pending)
            await self._store.restore(tuple(self._versions), tuple(self._decisions))
            self._generation = generation
            self._written(pending)
            if self._versions:
                self._on_written(max(each.number for each in self._versions))

    def _written(self, entries: tuple[Entry, ...]) -> None:
        """Drop what is written; more may have been added meanwhile."""
        for entry in entries:
            if self._pending and self._pending[0] is entry:
                self._pending.popleft()
            if entry[0] is not None:
                self._on_written(entry[0].number)

    def _enter(self, entry: Entry, link: Link | None) -> None:
        """Remember where a decision stands in the chain, and tell who waits for that."""
        _, decision = entry
        if decision is None or link is None:
            return
        self._entries[decision.id] = link
        if len(self._entries) > REMEMBERED:
            del self._entries[min(self._entries)]
        self._entered.set()
        self._entered = asyncio.Event()

    async def _restore_only(self) -> None:
        try:
            await self._mend()
            self._fine()
        except StoreError as error:
            self._trouble(error)

    def _fine(self) -> None:
        if self.problem is not None:
            log.info("the store works again, and holds everything")
        self.problem = None

    def _trouble(self, error: StoreError) -> None:
        if self.problem is None:
            log.error("the store cannot be used, going on from memory: %s", error)
        self.problem = str(error)


def _number(record: VersionRecord) -> int:
    return record.number
