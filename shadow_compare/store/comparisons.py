"""What is kept of comparisons: counts of everything, and a few samples of each signature."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow_compare.sample import KeptDifference, Sample
from shadow_compare.signature import Signature
from shadow_compare.store.database import Database
from shadow_compare.store.tables import counts, fired, samples, signatures

SAMPLES_MAX: Final = 10
"""Samples of one signature: a uniform choice of all that were seen, not the first ones."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A mismatch to be kept; `take` builds the sample, which is only done when it is wanted."""

    signature: Signature
    critical: bool
    example: KeptDifference
    take: Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Record:
    """One comparison of a route; `at` is Unix time in seconds, `version` that of the rules."""

    route: str
    at: float
    version: int
    verdict: str
    reason: str = ""
    fired: tuple[tuple[str, int], ...] = ()
    finding: Finding | None = None

    @property
    def minute(self) -> int:
        """Minute it is counted in."""
        return int(self.at // 60)


@dataclass(frozen=True, slots=True)
class Retention:
    """What is thrown away: things not seen for so many seconds, and the oldest beyond a number."""

    age: float = 30 * 86_400.0
    signatures: int = 500


class ComparisonStore:
    """Writes comparisons; `chance` gives numbers from 0 to below 1."""

    def __init__(self, database: Database, chance: Callable[[], float] = random.random) -> None:
        self._database = database
        self._chance = chance

    async def record(self, records: Sequence[Record]) -> None:
        """Keep a batch, all of it or nothing; raises StoreError."""
        async with self._database.begin() as connection:
            await _count(connection, records)
            for group in _by_signature(records):
                await self._keep(connection, group)

    async def prune(self, now: float, retention: Retention) -> None:
        """Throw away what is older, or more, than is to be kept; raises StoreError."""
        oldest = now - retention.age
        async with self._database.begin() as connection:
            for table in (counts, fired):
                await connection.execute(delete(table).where(table.c.minute < oldest // 60))
            await connection.execute(delete(signatures).where(signatures.c.last_seen < oldest))
            latest = (
                select(signatures.c.id)
                .order_by(signatures.c.last_seen.desc())
                .limit(retention.signatures)
            )
            await connection.execute(delete(signatures).where(signatures.c.id.not_in(latest)))

    async def _keep(self, connection: AsyncConnection, group: list[Record]) -> None:
        seen = await _upsert_signature(connection, group)
        for place, record in enumerate(group, start=seen - len(group) + 1):
            slot = place - 1 if place <= SAMPLES_MAX else int(self._chance() * place)
            if slot < SAMPLES_MAX and record.finding is not None:
                await _put_sample(connection, record.finding, slot)


async def _count(connection: AsyncConnection, records: Iterable[Record]) -> None:
    verdicts: Counter[tuple[str, int, str, str]] = Counter()
    rules: Counter[tuple[str, int, str]] = Counter()
    for record in records:
        verdicts[record.route, record.minute, record.verdict, record.reason] += 1
        for rule, times in record.fired:
            rules[record.route, record.minute, rule[:300]] += times
    await _add(connection, counts, ("route", "minute", "verdict", "reason"), verdicts)
    await _add(connection, fired, ("route", "minute", "rule"), rules)


async def _add(
    connection: AsyncConnection,
    table: Table,
    key: tuple[str, ...],
    amounts: Counter[tuple[str, int, str, str]] | Counter[tuple[str, int, str]],
) -> None:
    if not amounts:
        return
    statement = _insert(connection, table)
    rows = [
        {**dict(zip(key, values, strict=True)), "count": amount}
        for values, amount in amounts.items()
    ]
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(key),
            set_={"count": table.c.count + statement.excluded.count},
        ),
        rows,
    )


def _insert(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Give an INSERT that can turn into an UPDATE; both databases write it alike."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def _by_signature(records: Iterable[Record]) -> list[list[Record]]:
    groups: dict[str, list[Record]] = {}
    for record in records:
        if record.finding is not None:
            groups.setdefault(record.finding.signature.id, []).append(record)
    return list(groups.values())


async def _upsert_signature(connection: AsyncConnection, group: list[Record]) -> int:
    """Count a group of records of one signature; gives how many there are in all."""
    finding = group[0].finding
    assert finding is not None  # noqa: S101 - only records with a finding are grouped
    times = [record.at for record in group]
    versions = [record.version for record in group]
    statement = _insert(connection, signatures).values(
        id=finding.signature.id,
        route=finding.signature.route,
        kinds=list(finding.signature.kinds),
        paths=list(finding.signature.paths),
        critical=finding.critical,
        example_path=finding.example.path,
        example_old=finding.example.legacy,
        example_new=finding.example.modern,
        count=len(group),
        first_seen=min(times),
        last_seen=max(times),
        first_version=min(versions),
        last_version=max(versions),
    )
    stored, fresh = signatures.c, statement.excluded
    greater = func.max if connection.dialect.name == "sqlite" else func.greatest
    result = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={
                "count": stored.count + fresh.count,
                "critical": fresh.critical,  # the rules may have changed since
                "last_seen": greater(stored.last_seen, fresh.last_seen),
                "last_version": greater(stored.last_version, fresh.last_version),
            },
        ).returning(stored.count)
    )
    return int(result.scalar_one())


async def _put_sample(connection: AsyncConnection, finding: Finding, slot: int) -> None:
    """Keep a sample; a slot that is taken gives up what it holds."""
    taken = (
        select(samples.c.id)
        .where(samples.c.signature == finding.signature.id)
        .order_by(samples.c.id)
        .offset(slot)
        .limit(1)
    )
    held = (await connection.execute(taken)).scalar_one_or_none()
    if held is not None:
        await connection.execute(delete(samples).where(samples.c.id == held))
    sample = finding.take()
    await connection.execute(
        insert(samples).values(
            signature=finding.signature.id,
            at=sample.at,
            request_id=sample.request_id,
            version=sample.version,
            primary_side=sample.primary_side,
            curl=sample.curl,
            primary_answer=asdict(sample.primary),
            candidate_answer=asdict(sample.candidate),
            differences=[asdict(each) for each in sample.differences],
        )
    )
