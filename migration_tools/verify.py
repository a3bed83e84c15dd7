"""Compares both databases: rows, sums of money, fingerprints, and where they differ.

The fingerprints are computed inside the databases, so an equal table costs one pass on either side
and a few hundred bytes between them. Only a range that differs is cut further (see `fingerprint`).
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from migration_tools.fingerprint import (
    EMPTY,
    Fingerprint,
    KeyRange,
    Suspect,
    bucket_width,
    suspects,
)
from migration_tools.mapping import Table
from migration_tools.report import (
    NOT_SHOWN,
    ChangedRow,
    ColumnDifference,
    Difference,
    ExtraRow,
    MissingRow,
    MoneySum,
    TableVerification,
)
from migration_tools.sides import Rows, Side

ENOUGH_DIFFERENCES = 20


async def verify_table(
    table: Table, source: Side, target: Side, quarantined: int = 0, limit: int = ENOUGH_DIFFERENCES
) -> TableVerification:
    """Return how the two sides compare in one table, naming at most `limit` rows that differ."""
    keys = _together(*await asyncio.gather(source.bounds(table), target.bounds(table)))
    if keys is None:
        return TableVerification(table.name, quarantined=quarantined)
    width = bucket_width(keys)
    here, there = await _buckets(table, keys, width, source, target)
    found, left = await _search(table, suspects(keys, width, here, there), source, target, limit)
    return TableVerification(
        table.name,
        source=_sum(here),
        target=_sum(there),
        quarantined=quarantined,
        money=_money(*await asyncio.gather(source.money(table), target.money(table))),
        differences=tuple(found),
        not_searched=tuple(suspect.keys for suspect in left),
    )


def compare_rows(table: Table, source: Rows, target: Rows) -> Iterator[Difference]:
    """Yield how two sets of spelled rows differ, lowest key first."""
    for key in sorted(source.keys() | target.keys()):
        if key not in target:
            yield MissingRow(key)
        elif key not in source:
            yield ExtraRow(key)
        elif source[key] != target[key]:
            yield ChangedRow(key, tuple(_columns(table, source[key], target[key])))


async def _search(
    table: Table, waiting: list[Suspect], source: Side, target: Side, limit: int
) -> tuple[list[Difference], list[Suspect]]:
    # Depth first and lowest keys first, so that what is found when enough is enough is a
    # prefix of all differences, and what is left can be told as ranges.
    found: list[Difference] = []
    while waiting and len(found) < limit:
        suspect, *waiting = waiting
        if suspect.is_small:
            here, there = await asyncio.gather(
                source.rows(table, suspect.keys), target.rows(table, suspect.keys)
            )
            differing = compare_rows(table, here, there)
            found.extend(islice(differing, limit - len(found)))
            if (next_one := next(differing, None)) is not None:
                rest = KeyRange(next_one.key, suspect.keys.last)
                waiting = [Suspect(rest, suspect.rows), *waiting]
        else:
            width = bucket_width(suspect.keys)
            buckets = await _buckets(table, suspect.keys, width, source, target)
            waiting = suspects(suspect.keys, width, *buckets) + waiting
    return found, waiting


async def _buckets(
    table: Table, keys: KeyRange, width: int, source: Side, target: Side
) -> tuple[Mapping[int, Fingerprint], Mapping[int, Fingerprint]]:
    return await asyncio.gather(
        source.buckets(table, keys, width), target.buckets(table, keys, width)
    )


def _columns(
    table: Table, source: Sequence[str | None], target: Sequence[str | None]
) -> Iterator[ColumnDifference]:
    for column, here, there in zip(table.columns, source, target, strict=True):
        if here != there and column.secret:
            yield ColumnDifference(column.target, NOT_SHOWN, NOT_SHOWN)
        elif here != there:
            yield ColumnDifference(column.target, here, there)


def _money(source: Mapping[str, int], target: Mapping[str, int]) -> tuple[MoneySum, ...]:
    currencies = sorted(source.keys() | target.keys())
    return tuple(MoneySum(c, source.get(c, 0), target.get(c, 0)) for c in currencies)


def _sum(buckets: Mapping[int, Fingerprint]) -> Fingerprint:
    return sum(buckets.values(), EMPTY)


def _together(source: KeyRange | None, target: KeyRange | None) -> KeyRange | None:
    if source is None or target is None:
        return source or target
    return KeyRange(min(source.first, target.first), max(source.last, target.last))
