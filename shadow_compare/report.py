"""What was compared, and what differed: the reading side of the store.

Coverage comes first: "no differences" must never mean "no comparisons".
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow_compare.sample import KeptAnswer, KeptDifference, Sample
from shadow_compare.store.database import Database
from shadow_compare.store.tables import counts, fired, samples, signatures
from shadow_compare.verdict import Verdict

_COMPARED = (Verdict.MATCH, Verdict.IGNORED, Verdict.MISMATCH)


@dataclass(slots=True)
class Coverage:
    """How the mirrored requests of one route ended.

    `not_compared` and `ignored_by_reason` count by reason, `fired` the rules that made two answers
    the same, by name of the equivalence or `ignore:PATH`.
    """

    route: str
    match: int = 0
    ignored: int = 0
    mismatch: int = 0
    not_compared: dict[str, int] = field(default_factory=dict)
    ignored_by_reason: dict[str, int] = field(default_factory=dict)
    fired: dict[str, int] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """How many pairs of answers were looked at."""
        return self.match + self.ignored + self.mismatch

    @property
    def eligible(self) -> int:
        """How many were meant to be compared."""
        return self.compared + sum(self.not_compared.values())

    @property
    def match_rate(self) -> float | None:
        """Share of the compared that do not differ, or None without comparisons."""
        return 1.0 - self.mismatch / self.compared if self.compared else None

    def to_plain(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            **asdict(self),
            "compared": self.compared,
            "eligible": self.eligible,
            "match_rate": self.match_rate,
        }


@dataclass(frozen=True, slots=True)
class SignatureSummary:
    """A group of mismatches that differ in the same places.

    `share` is its part of all compared pairs of the route; times are Unix seconds; the example's
    values are JSON text, None where that side has nothing.
    """

    id: str
    route: str
    kinds: tuple[str, ...]
    paths: tuple[str, ...]
    example_path: str
    example_old: str | None
    example_new: str | None
    critical: bool
    count: int
    share: float | None
    first_seen: float
    last_seen: float
    first_version: int
    last_version: int

    def to_plain(self) -> dict[str, Any]:
        """As JSON-able values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class SignatureDetail:
    """A summary with its samples, the latest first."""

    summary: SignatureSummary
    samples: tuple[Sample, ...]

    def to_plain(self) -> dict[str, Any]:
        """As JSON-able values: the summary's members, and `samples`."""
        return {**self.summary.to_plain(), "samples": [each.to_plain() for each in self.samples]}


class Report:
    """Reads what shadow workers wrote; every method raises StoreError when it cannot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def coverage(
        self, route: str | None = None, since: float | None = None
    ) -> list[Coverage]:
        """Give the coverage of each route, or of one, from a Unix time on (to the minute)."""
        found: dict[str, Coverage] = {}
        async with self._database.read() as connection:
            verdicts = (
                select(counts.c.route, counts.c.verdict, counts.c.reason, func.sum(counts.c.count))
                .where(*_within(counts.c.route, counts.c.minute, route, since))
                .group_by(counts.c.route, counts.c.verdict, counts.c.reason)
                .order_by(counts.c.route)
            )
            for name, verdict, reason, count in await connection.execute(verdicts):
                _count(found.setdefault(name, Coverage(name)), verdict, reason, int(count))
            rules = (
                select(fired.c.route, fired.c.rule, func.sum(fired.c.count))
                .where(*_within(fired.c.route, fired.c.minute, route, since))
                .group_by(fired.c.route, fired.c.rule)
                .order_by(fired.c.rule)
            )
            for name, rule, count in await connection.execute(rules):
                found.setdefault(name, Coverage(name)).fired[rule] = int(count)
        return list(found.values())

    async def signatures(
        self,
        route: str | None = None,
        critical: bool | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[SignatureSummary]:
        """Give groups of mismatches, critical ones first, then the most frequent."""
        wanted: list[ColumnElement[bool]] = []
        if route is not None:
            wanted.append(signatures.c.route == route)
        if critical is not None:
            wanted.append(signatures.c.critical.is_(critical))
        query = (
            select(signatures)
            .where(*wanted)
            .order_by(signatures.c.critical.desc(), signatures.c.count.desc(), signatures.c.id)
            .limit(limit)
            .offset(offset)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
            compared = await _compared(connection)
        return [_summary(row, compared) for row in rows]

    async def signature(self, signature_id: str) -> SignatureDetail | None:
        """Give one group with its samples, or None when there is none of this id."""
        async with self._database.read() as connection:
            query = select(signatures).where(signatures.c.id == signature_id)
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                return None
            compared = await _compared(connection)
            kept = await connection.execute(
                select(samples)
                .where(samples.c.signature == signature_id)
                .order_by(samples.c.at.desc(), samples.c.id.desc())
            )
            return SignatureDetail(_summary(row, compared), tuple(map(_sample, kept)))


def _within(
    route_column: ColumnElement[str],
    minute_column: ColumnElement[int],
    route: str | None,
    since: float | None,
) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if route is not None:
        wanted.append(route_column == route)
    if since is not None:
        wanted.append(minute_column >= int(since // 60))
    return wanted


def _count(coverage: Coverage, verdict: str, reason: str, count: int) -> None:
    if verdict == Verdict.MATCH:
        coverage.match += count
    elif verdict == Verdict.MISMATCH:
        coverage.mismatch += count
    elif verdict == Verdict.IGNORED:
        coverage.ignored += count
        coverage.ignored_by_reason[reason] = coverage.ignored_by_reason.get(reason, 0) + count
    else:
        coverage.not_compared[reason] = coverage.not_compared.get(reason, 0) + count


async def _compared(connection: AsyncConnection) -> dict[str, int]:
    query = (
        select(counts.c.route, func.sum(counts.c.count))
        .where(counts.c.verdict.in_(_COMPARED))
        .group_by(counts.c.route)
    )
    return {route: int(count) for route, count in await connection.execute(query)}


def _summary(row: Row[Any], compared: dict[str, int]) -> SignatureSummary:
    plain = dict(row._mapping)  # noqa: SLF001 - public by documentation, in spite of its name
    base = compared.get(plain["route"], 0)
    return SignatureSummary(
        **{
            **plain,
            "kinds": tuple(plain["kinds"]),
            "paths": tuple(plain["paths"]),
            "share": min(1.0, plain["count"] / base) if base else None,
        }
    )


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
