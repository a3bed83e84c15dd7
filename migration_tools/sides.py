"""What verification asks of either database; each computes its fingerprints by itself."""

# ruff: noqa: S608 # SQL takes no parameters for names; ours come from the mapping

from collections.abc import Mapping, Sequence
from typing import Protocol

from migration_tools.connections import SourceConnection, TargetConnection
from migration_tools.fingerprint import Fingerprint, KeyRange, Spelled, fold
from migration_tools.mapping import Table
from migration_tools.spelling import (
    finish,
    minor_units_in_source,
    needs_python,
    source_fields,
    source_row,
    target_fields,
    target_row,
)
from migration_tools.writer import QUARANTINE

# MD5's 32 digits in two halves of 15 (60 bits): what fits both databases' integers with a sign.
_SOURCE_SUMS = (
    "COUNT(*), SUM(CAST(CONV(SUBSTR(digest, 1, 15), 16, 10) AS UNSIGNED)),"
    " SUM(CAST(CONV(SUBSTR(digest, 17, 15), 16, 10) AS UNSIGNED))"
)
_TARGET_SUMS = (
    "count(*), sum(('x' || substr(digest, 1, 15))::bit(60)::bigint),"
    " sum(('x' || substr(digest, 17, 15))::bit(60)::bigint)"
)

Rows = dict[int, tuple[Spelled, ...]]


class Side(Protocol):
    """One of the two databases, as verification sees it."""

    async def bounds(self, table: Table) -> KeyRange | None:
        """Return the lowest and highest key, or None for an empty table."""

    async def buckets(self, table: Table, keys: KeyRange, width: int) -> Mapping[int, Fingerprint]:
        """Return the fingerprint of each run of `width` keys that holds rows."""

    async def rows(self, table: Table, keys: KeyRange) -> Rows:
        """Return the rows of a range, spelled, by key."""

    async def money(self, table: Table) -> Mapping[str, int]:
        """Return the sum of the amounts per currency, in hundredths."""


class SourceSide:
    """The MariaDB or MySQL database without the rows that were quarantined."""

    def __init__(
        self, connection: SourceConnection, quarantined: Mapping[str, Sequence[int]]
    ) -> None:
        self._connection = connection
        self._quarantined = quarantined

    async def bounds(self, table: Table) -> KeyRange | None:
        """Return the lowest and highest key, or None for an empty table."""
        key = f"`{table.key}`"
        ((first, last),) = await self._fetch(
            f"SELECT MIN({key}), MAX({key}) FROM `{table.name}` WHERE {self._kept(table)}"
        )
        return None if first is None or last is None else KeyRange(int(first), int(last))

    async def buckets(self, table: Table, keys: KeyRange, width: int) -> Mapping[int, Fingerprint]:
        """Return the fingerprint of each run of `width` keys that holds rows."""
        if needs_python(table):
            return fold((await self.rows(table, keys)).items(), keys, width)
        found = await self._fetch(
            f"SELECT (k - ({keys.first})) DIV {width} AS bucket, {_SOURCE_SUMS} "
            f"FROM (SELECT `{table.key}` AS k, MD5({source_row(table)}) AS digest "
            f"FROM `{table.name}` WHERE {self._kept(table, keys)}) AS digests GROUP BY bucket"
        )
        return {int(b or 0): _fingerprint(rows, high, low) for b, rows, high, low in found}

    async def rows(self, table: Table, keys: KeyRange) -> Rows:
        """Return the rows of a range, spelled, by key."""
        found = await self._fetch(
            f"SELECT `{table.key}`, {', '.join(source_fields(table))} FROM `{table.name}` "
            f"WHERE {self._kept(table, keys)} ORDER BY 1"
        )
        return {int(key or 0): finish(table, tuple(fields)) for key, *fields in found}

    async def money(self, table: Table) -> Mapping[str, int]:
        """Return the sum of the amounts per currency, in hundredths."""
        if table.money is None:
            return {}
        amount = minor_units_in_source(table.column(table.money.amount))
        currency = table.column(table.money.currency).source
        found = await self._fetch(
            f"SELECT `{currency}`, SUM({amount}) FROM `{table.name}` "
            f"WHERE {self._kept(table)} GROUP BY BINARY `{currency}`"
        )
        return {str(name): int(total or 0) for name, total in found}

    def _kept(self, table: Table, keys: KeyRange | None = None) -> str:
        aside = [k for k in self._quarantined.get(table.name, ()) if keys is None or k in keys]
        conditions = [f"`{table.key}` BETWEEN {keys.first} AND {keys.last}"] if keys else []
        if aside:
            conditions.append(f"`{table.key}` NOT IN ({', '.join(map(str, aside))})")
        return " AND ".join(conditions) or "TRUE"

    async def _fetch(self, query: str) -> Sequence[Sequence[str | None]]:
        async with self._connection.cursor() as cursor:
            await cursor.execute(query)
            rows: Sequence[Sequence[str | None]] = await cursor.fetchall()
            return rows


class TargetSide:
    """The PostgreSQL database; `zone` is the declared zone of the legacy times."""

    def __init__(self, connection: TargetConnection, zone: str) -> None:
        self._connection = connection
        self._zone = zone

    async def quarantined(self, tables: Sequence[Table]) -> dict[str, list[int]]:
        """Return the keys that a copy rejected, per table, lowest first."""
        if await self._connection.fetchval("SELECT to_regclass($1)", QUARANTINE) is None:
            return {}
        found = await self._connection.fetch(
            f"SELECT source_table, array_agg(source_key ORDER BY source_key) FROM {QUARANTINE} "
            "WHERE source_table = ANY($1) GROUP BY source_table",
            [table.name for table in tables],
        )
        return {name: list(keys) for name, keys in found}

    async def bounds(self, table: Table) -> KeyRange | None:
        """Return the lowest and highest key, or None for an empty table."""
        first, last = await self._connection.fetchrow(
            f'SELECT min("{table.key}"), max("{table.key}") FROM "{table.name}"'
        )
        return None if first is None else KeyRange(first, last)

    async def buckets(self, table: Table, keys: KeyRange, width: int) -> Mapping[int, Fingerprint]:
        """Return the fingerprint of each run of `width` keys that holds rows."""
        if needs_python(table):
            return fold((await self.rows(table, keys)).items(), keys, width)
        found = await self._connection.fetch(
            f"SELECT (k - $1) / $3 AS bucket, {_TARGET_SUMS} "
            f'FROM (SELECT "{table.key}"::bigint AS k, '
            f"md5({target_row(table, self._zone)}) AS digest "
            f'FROM "{table.name}" WHERE "{table.key}" BETWEEN $1 AND $2) digests GROUP BY bucket',
            keys.first,
            keys.last,
            width,
        )
        return {bucket: _fingerprint(rows, high, low) for bucket, rows, high, low in found}

    async def rows(self, table: Table, keys: KeyRange) -> Rows:
        """Return the rows of a range, spelled, by key."""
        fields = ", ".join(target_fields(table, self._zone))
        found = await self._connection.fetch(
            f'SELECT "{table.key}", {fields} FROM "{table.name}" '
            f'WHERE "{table.key}" BETWEEN $1 AND $2 ORDER BY 1',
            keys.first,
            keys.last,
        )
        return {row[0]: finish(table, tuple(row)[1:]) for row in found}

    async def money(self, table: Table) -> Mapping[str, int]:
        """Return the sum of the amounts per currency, in hundredths."""
        if table.money is None:
            return {}
        found = await self._connection.fetch(
            f'SELECT "{table.money.currency}"::text, sum("{table.money.amount}") '
            f'FROM "{table.name}" GROUP BY 1'
        )
        return {name: int(total) for name, total in found}


def _fingerprint(rows: object, high: object, low: object) -> Fingerprint:
    return Fingerprint(int(str(rows)), int(str(high)), int(str(low)))
