"""The reading side of the store, and the one mark that people leave on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Select, Text, and_, func, or_, select, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow_compare.proposals import Proposal, names_of, propose
from shadow_compare.report.coverage import Coverage
from shadow_compare.report.cursor import Cursor
from shadow_compare.report.filters import EVERY_GROUP, Filters
from shadow_compare.report.summary import (
    Occurrences,
    SignatureDetail,
    SignatureSummary,
    State,
)
from shadow_compare.sample import KeptAnswer, KeptDifference, Sample
from shadow_compare.store.database import Database
from shadow_compare.store.evidence import EvidenceStore, Known
from shadow_compare.store.grain import Grain, Span, spans
from shadow_compare.store.tables import hits, occurrences, samples, signatures, tallies, totals

_OWN = ("bytes", "compared_before", "searched")
"""Columns that are the store's own business."""
_SUMMARY = [column for column in signatures.c if column.name not in _OWN]


class Report:
    """Reads what shadow workers wrote; every method raises StoreError when it cannot."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._evidence = EvidenceStore(database)

    async def coverage(
        self, route: str | None = None, since: float | None = None
    ) -> list[Coverage]:
        """Give the coverage of each route, or of one, from a Unix time on.

        To the minute within the last two days, to the hour before.
        """
        found: dict[str, Coverage] = {}
        async with self._database.read() as connection:
            for span in await _spans(connection, since):
                await _read_tallies(connection, span, route, found)
                await _read_hits(connection, span, route, found)
        return [found[name] for name in sorted(found)]

    async def signatures(
        self,
        filters: Filters = EVERY_GROUP,
        *,
        limit: int = 50,
        offset: int = 0,
        after: Cursor | None = None,
    ) -> list[SignatureSummary]:
        """Give groups of mismatches, critical ones first, then the most frequent.

        Which ones is answered by an index alone, as far as the filters are in one; only the rows
        that are shown are read.
        """
        rank = signatures.c.critical.desc(), signatures.c.count.desc(), signatures.c.id
        wanted = (
            select(signatures.c.id)
            .where(*_passing(filters), *_behind(after))
            .order_by(*rank)
            .limit(limit)
            .offset(offset)
        )
        async with self._database.read() as connection:
            rows = await connection.execute(_summaries().where(signatures.c.id.in_(wanted)))
            found = map(_summary, rows)
            return sorted(found, key=lambda each: (not each.critical, -each.count, each.id))

    async def signature(self, signature_id: str) -> SignatureDetail | None:
        """Give one group with its samples, or None when there is none of this id."""
        async with self._database.read() as connection:
            query = _summaries().where(signatures.c.id == signature_id)
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                return None
            kept = await connection.execute(
                select(samples)
                .where(samples.c.signature == signature_id)
                .order_by(samples.c.at.desc(), samples.c.id.desc())
            )
            found = tuple(map(_sample, kept))
            hours = await connection.execute(
                select(occurrences.c.start, occurrences.c.count)
                .where(occurrences.c.signature == signature_id)
                .order_by(occurrences.c.start)
            )
            seen = tuple(Occurrences(start * 60.0, count) for start, count in hours)
            return SignatureDetail(_summary(row), found, seen)

    async def occurrences(
        self, names: Collection[str], since: float
    ) -> dict[str, tuple[Occurrences, ...]]:
        """Give the hours since a Unix time in which each of some groups was seen."""
        query = (
            select(occurrences)
            .where(occurrences.c.signature.in_(names), occurrences.c.start >= int(since // 60))
            .order_by(occurrences.c.signature, occurrences.c.start)
        )
        found: dict[str, list[Occurrences]] = {}
        async with self._database.read() as connection:
            for name, start, count in await connection.execute(query):
                found.setdefault(name, []).append(Occurrences(start * 60.0, count))
        return {name: tuple(seen) for name, seen in found.items()}

    async def proposals(
        self, route: str | None = None, *, limit: int = 50, offset: int = 0
    ) -> list[Proposal]:
        """Give rules that the evidence of all workers speaks for, what was seen most first."""
        found: dict[tuple[str, str, str], Proposal] = {}
        async for each in self._strong(route, at_once=2 * (limit + offset)):
            proposal = propose(each.route, each.place, each.counts, each.whole)
            if proposal is not None:  # a place may vary in value and in type
                found.setdefault((each.route, proposal.section, each.place.path), proposal)
            if len(found) == limit + offset:
                break
        return list(found.values())[offset:]

    async def _strong(self, route: str | None, at_once: int) -> AsyncIterator[Known]:
        """Give places that a rule may be proposed for, as they are asked for: most need few."""
        read = 0
        while known := await self._evidence.strong(route, limit=at_once, offset=read):
            for each in known:
                yield each
            read, at_once = read + at_once, 4 * at_once

    async def proposal(self, proposal_id: str) -> Proposal | None:
        """Give one proposal, or None when nothing speaks for it (any more)."""
        for route, path in await self._evidence.places():
            if proposal_id in names_of(route, path):
                known = await self._evidence.strong(route, path=path)
                found = (propose(e.route, e.place, e.counts, e.whole) for e in known)
                return next((p for p in found if p is not None and p.id == proposal_id), None)
        return None

    async def mark(
        self, signature_id: str, state: State, *, author: str, reason: str, at: float, version: int
    ) -> SignatureSummary | None:
        """Say what was done about a group, under which version of the rules; None: no such group.

        What was seen before this moment, or under rules before this version, no longer opens it.
        """
        statement = (
            update(signatures)
            .where(signatures.c.id == signature_id)
            .values(
                state=state,
                state_author=author,
                state_reason=reason,
                state_at=at,
                state_version=version,
            )
        )
        async with self._database.begin() as connection:
            await connection.execute(statement)
            query = _summaries().where(signatures.c.id == signature_id)
            row = (await connection.execute(query)).one_or_none()
            return None if row is None else _summary(row)


def _passing(filters: Filters) -> list[ColumnElement[bool]]:
    """Give what a row must fulfil to be listed."""
    known = signatures.c
    wanted: list[ColumnElement[bool]] = []
    if filters.route is not None:
        wanted.append(known.route == filters.route)
    if filters.state is not None:
        wanted.append(known.state == filters.state)
    if filters.critical is not None:
        wanted.append(known.critical == filters.critical)
    if filters.kind is not None:
        kinds = sql_cast(known.kinds, Text)
        wanted.append(kinds.contains(f'"{filters.kind}"', autoescape=True))
    if filters.since_version is not None:
        wanted.append(known.first_version >= filters.since_version)
    return [*wanted, *(known.searched.contains(word, autoescape=True) for word in filters.words)]


def _behind(after: Cursor | None) -> list[ColumnElement[bool]]:
    """Give what a row must fulfil to come after this one; the first part bounds what is read."""
    if after is None:
        return []
    known = signatures.c
    less = or_(known.count < after.count, and_(known.count == after.count, known.id > after.id))
    if after.critical:
        return [or_(known.critical == False, less)]  # noqa: E712 - SQL's
    return [known.critical == False, less]  # noqa: E712


async def _spans(connection: AsyncConnection, since: float | None) -> tuple[Span, ...]:
    if since is None:
        return spans(None, None)
    query = select(func.min(tallies.c.start)).where(tallies.c.grain == Grain.MINUTE)
    return spans(int(since // 60), (await connection.execute(query)).scalar())


def _within(table: Any, span: Span, route: str | None) -> list[ColumnElement[bool]]:
    wanted = [table.c.grain == span.grain, table.c.start >= span.start]
    if span.stop is not None:
        wanted.append(table.c.start < span.stop)
    if route is not None:
        wanted.append(table.c.route == route)
    return wanted


async def _read_tallies(
    connection: AsyncConnection, span: Span, route: str | None, found: dict[str, Coverage]
) -> None:
    key = (
        tallies.c.route,
        tallies.c.method,
        tallies.c.status,
        tallies.c.verdict,
        tallies.c.reason,
    )
    query = (
        select(*key, func.sum(tallies.c.count))
        .where(*_within(tallies, span, route))
        .group_by(*key)
        .order_by(*key)
    )
    for name, method, status, verdict, reason, number in await connection.execute(query):
        coverage = found.setdefault(name, Coverage(route=name))
        coverage.count_in(method, status, verdict, reason, int(number))


async def _read_hits(
    connection: AsyncConnection, span: Span, route: str | None, found: dict[str, Coverage]
) -> None:
    key = hits.c.route, hits.c.rule
    query = (
        select(*key, func.sum(hits.c.count))
        .where(*_within(hits, span, route))
        .group_by(*key)
        .order_by(*key)
    )
    for name, rule, number in await connection.execute(query):
        fired = found.setdefault(name, Coverage(route=name)).fired
        fired[rule] = fired.get(rule, 0) + int(number)


def _summaries() -> Select[Any]:
    compared = func.coalesce(totals.c.compared, 0) - signatures.c.compared_before
    return select(*_SUMMARY, compared.label("compared")).outerjoin_from(
        signatures, totals, totals.c.route == signatures.c.route
    )


def _summary(row: Row[Any]) -> SignatureSummary:
    plain = dict(row._mapping)  # noqa: SLF001 - public by documentation, in spite of its name
    plain.update(kinds=tuple(plain["kinds"]), paths=tuple(plain["paths"]))
    return SignatureSummary(**plain)


def _sample(row: Row[Any]) -> Sample:
    return Sample(
        at=row.at,
        request_id=row.request_id,
        version=row.version,
        primary_side=row.primary_side,
        curl=row.curl,
        primary=KeptAnswer.from_plain(cast("dict[str, Any]", row.primary_answer)),
        candidate=KeptAnswer.from_plain(cast("dict[str, Any]", row.candidate_answer)),
        differences=tuple(KeptDifference(**each) for each in row.differences),
    )
