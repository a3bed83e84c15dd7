"""Keeping signatures: one row for each, and a uniform choice of samples."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow_compare.sample import Sample
from shadow_compare.searched import head_of, with_values
from shadow_compare.store.grain import Grain
from shadow_compare.store.record import Finding, Record
from shadow_compare.store.tables import occurrences, samples, signatures
from shadow_compare.store.upsert import Key, add_up, insert_into

SAMPLES_MAX: Final = 10
"""Samples of one signature: a uniform choice of all that were seen, not the first ones."""

_ID_MAX: Final = 200
_ROW_BYTES: Final = 200
"""What a row costs besides its texts, about."""


def by_signature(records: Iterable[Record]) -> list[list[Record]]:
    """Group records with a finding, in the order of the ids.

    Two writers that lock rows in different orders wait for each other.
    """
    groups: dict[str, list[Record]] = {}
    for record in records:
        if record.finding is not None:
            groups.setdefault(record.finding.signature.id, []).append(record)
    return [groups[name] for name in sorted(groups)]


async def keep(
    connection: AsyncConnection,
    group: list[Record],
    compared_before: int,
    chance: Callable[[], float],
) -> None:
    """Keep a group of records of one signature.

    Every one that was ever seen has the same chance to be among the samples (Vitter's algorithm R).
    """
    seen, searched = await _upsert(connection, group, compared_before)
    await _count_occurrences(connection, group)
    taken: list[Sample] = []
    for place, record in enumerate(group, start=seen - len(group) + 1):
        slot = place - 1 if place <= SAMPLES_MAX else int(chance() * place)
        if slot < SAMPLES_MAX and record.finding is not None:
            taken.append(await _put_sample(connection, record.finding, slot))
    if group[0].finding is not None:
        await _put_searched(connection, group[0].finding, searched, taken)


async def _upsert(
    connection: AsyncConnection, group: list[Record], compared_before: int
) -> tuple[int, str]:
    """Count a group of records of one signature; gives how many there are, and what is searched."""
    finding = group[0].finding
    assert finding is not None  # noqa: S101 - only records with a finding are grouped
    times = [record.at for record in group]
    versions = [record.version for record in group]
    values: dict[str, Any] = {
        "id": finding.signature.id,
        "route": finding.signature.route,
        "kinds": list(finding.signature.kinds),
        "paths": list(finding.signature.paths),
        "critical": finding.critical,
        "example_path": finding.example.path,
        "example_old": finding.example.legacy,
        "example_new": finding.example.modern,
        "count": len(group),
        "first_seen": min(times),
        "last_seen": max(times),
        "first_version": min(versions),
        "last_version": max(versions),
        "compared_before": compared_before,
    }
    values["bytes"] = _ROW_BYTES + sum(len(str(value)) for value in values.values())
    statement = insert_into(connection, signatures).values(values)
    stored, fresh = signatures.c, statement.excluded
    greater = func.max if connection.dialect.name == "sqlite" else func.greatest
    again = _is_seen_again(fresh)
    result = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={
                "count": stored.count + fresh.count,
                "critical": fresh.critical,  # the rules may have changed since
                "last_seen": greater(stored.last_seen, fresh.last_seen),
                "last_version": greater(stored.last_version, fresh.last_version),
                "state": case((again, "open"), else_=stored.state),
                "reopened": stored.reopened + case((again, 1), else_=0),
            },
        ).returning(stored.count, stored.searched)
    )
    count, searched = result.one()
    return int(count), searched


async def _count_occurrences(connection: AsyncConnection, group: list[Record]) -> None:
    """Count a group of records of one signature in their hours."""
    amounts: dict[Key, int] = {}
    for record in group:
        if record.finding is not None:
            key = (record.finding.signature.id, record.minute - record.minute % Grain.HOUR)
            amounts[key] = amounts.get(key, 0) + 1
    await add_up(connection, occurrences, amounts)


def _is_seen_again(fresh: Any) -> ColumnElement[bool]:
    """Whether what people have done about a signature has not helped.

    It was fixed, and a later answer differs again; or it was expected, and a rule was made, and it
    counts under those rules or later ones. What was captured before says nothing.
    """
    stored = signatures.c
    return or_(
        and_(stored.state == "fixed", fresh.last_seen > stored.state_at),
        and_(stored.state == "expected", fresh.last_version >= stored.state_version),
    )


async def _put_searched(
    connection: AsyncConnection, finding: Finding, before: str, taken: Iterable[Sample]
) -> None:
    """Have the values of new samples found, too."""
    signature = finding.signature
    seen = [d for sample in taken for d in sample.differences]
    values = [text for d in seen for text in (d.path, d.legacy, d.modern) if text is not None]
    searched = with_values(
        before or head_of(signature.route, signature.kinds, signature.paths), values
    )
    if searched != before:
        grown = signatures.c.bytes + len(searched) - len(before)
        await connection.execute(
            update(signatures)
            .where(signatures.c.id == signature.id)
            .values(searched=searched, bytes=grown)
        )


async def _put_sample(connection: AsyncConnection, finding: Finding, slot: int) -> Sample:
    """Keep a sample and give it; a slot that is taken gives up what it holds."""
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
    primary, candidate = asdict(sample.primary), asdict(sample.candidate)
    differences = [asdict(each) for each in sample.differences]
    size = len(json.dumps([primary, candidate, differences]))
    await connection.execute(
        insert(samples).values(
            signature=finding.signature.id,
            at=sample.at,
            request_id=sample.request_id[:_ID_MAX],
            version=sample.version,
            primary_side=sample.primary_side,
            curl=sample.curl,
            primary_answer=primary,
            candidate_answer=candidate,
            differences=differences,
            bytes=_ROW_BYTES + len(sample.curl) + size,
        )
    )
    return sample
