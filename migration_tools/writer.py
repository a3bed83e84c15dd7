"""Loads: writes into the target inside one transaction, so that there is all of it or nothing.

A batch goes by COPY into a staging table without constraints. What only the whole set can tell
(a parent that is not there, an address used twice) is then asked of the database, the rows that
fail are put aside, and the rest is moved over in one statement. Loading straight into the target
would stop at the first orphan; looking parents up in this process would hold every key in memory.
"""

# ruff: noqa: S608 # SQL takes no parameters for names; ours come from the mapping

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from migration_tools.connections import TargetConnection
from migration_tools.errors import MigrationError, TargetInUseError, TargetNotEmptyError
from migration_tools.mapping import RawRow, Reference, Row, Table, Unique
from migration_tools.schema import FoundColumn, FoundTable

QUARANTINE = "migration_quarantine"
ONE_COPY_AT_A_TIME = 0x63757476  # the advisory lock's number: "cutv"
PAGE = 5_000

_CREATE_QUARANTINE = f"""
CREATE TABLE IF NOT EXISTS {QUARANTINE} (
    source_table text NOT NULL,
    source_key bigint NOT NULL,
    source_column text NOT NULL,
    reason text NOT NULL,
    raw jsonb NOT NULL,
    rejected_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source_table, source_key)
)"""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be loaded: its key, the source column at fault, and the reason."""

    key: int
    column: str
    reason: str


class TargetWriter:
    """Writes tables into the target; the caller has begun the transaction and will end it."""

    def __init__(self, connection: TargetConnection) -> None:
        self._connection = connection

    async def describe(self, tables: Sequence[Table]) -> dict[str, FoundTable]:
        """Return the tables that exist, as the database describes them."""
        found = await self._connection.fetch(
            "SELECT table_name, column_name, udt_name, character_maximum_length AS longest, "
            "       is_nullable = 'YES' OR column_default IS NOT NULL OR is_identity = 'YES' "
            "       OR is_generated = 'ALWAYS' AS optional "
            "FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND table_name = ANY($1)",
            [table.name for table in tables],
        )
        columns: dict[str, dict[str, FoundColumn]] = {}
        for row in found:
            column = FoundColumn(row["udt_name"], row["optional"], row["longest"])
            columns.setdefault(row["table_name"], {})[row["column_name"]] = column
        return {name: FoundTable(described) for name, described in columns.items()}

    async def prepare(self, tables: Sequence[Table], *, replace: bool) -> None:
        """Take the tables for ourselves, empty; raise TargetNotEmptyError if not to be replaced."""
        if not await self._connection.fetchval(
            "SELECT pg_try_advisory_xact_lock($1)", ONE_COPY_AT_A_TIME
        ):
            raise MigrationError("another copy is running into this target; wait for it to end")
        names = ", ".join(f'"{table.name}"' for table in tables)
        if replace:
            dependants = await self._empty_dependants(tables)
            await self._connection.execute(f"TRUNCATE {', '.join([names, *dependants])}")
        else:
            # Keeps other writers out until the end; readers of the old state are not disturbed.
            await self._connection.execute(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")
            await self._refuse_rows(tables)
        await self._connection.execute(_CREATE_QUARANTINE)
        await self._connection.execute(
            f"DELETE FROM {QUARANTINE} WHERE source_table = ANY($1)",
            [table.name for table in tables],
        )
        for table in tables:
            await self._connection.execute(
                f'CREATE TEMPORARY TABLE "{_stage(table)}" (LIKE "{table.name}") ON COMMIT DROP'
            )
            await self._connection.execute(
                f'CREATE TEMPORARY TABLE "{_aside(table)}" '
                "(key bigint PRIMARY KEY, source_column text, reason text) ON COMMIT DROP"
            )

    async def copy(self, table: Table, rows: Sequence[Row]) -> None:
        """Stage converted rows."""
        await self._connection.copy_records_to_table(
            _stage(table), records=rows, columns=table.target_columns
        )

    async def settle(self, table: Table) -> int:
        """Move the staged rows into the table, except those that break a rule; return how many.

        The rows put aside are then read with `put_aside`.
        """
        key, stage, aside = table.key, _stage(table), _aside(table)
        await self._connection.execute(f'ANALYZE "{stage}"')
        for statement in _rules(table):
            await self._connection.execute(statement)
        columns = ", ".join(f'"{name}"' for name in table.target_columns)
        status = await self._connection.execute(
            f'INSERT INTO "{table.name}" ({columns}) SELECT {columns} FROM "{stage}" s '
            f'WHERE NOT EXISTS (SELECT FROM "{aside}" a WHERE a.key = s."{key}") ORDER BY "{key}"'
        )
        await self._connection.execute(f'DROP TABLE "{stage}"')
        return int(status.rsplit(" ", 1)[1])

    async def put_aside(self, table: Table) -> AsyncIterator[list[Rejected]]:
        """Yield the rows that `settle` left out, a page at a time."""
        after = -(2**63)
        query = (
            f'SELECT key, source_column, reason FROM "{_aside(table)}" '
            f"WHERE key > $1 ORDER BY key LIMIT {PAGE}"
        )
        while found := await self._connection.fetch(query, after):
            yield [Rejected(row["key"], row["source_column"], row["reason"]) for row in found]
            after = found[-1]["key"]

    async def quarantine(
        self, table: Table, rejected: Sequence[Rejected], raw: Mapping[int, RawRow]
    ) -> None:
        """Keep rejected rows with the reason and the values exactly as the source spells them."""
        await self._connection.copy_records_to_table(
            QUARANTINE,
            columns=("source_table", "source_key", "source_column", "reason", "raw"),
            records=[
                (table.name, row.key, row.column, row.reason, _raw_json(table, raw[row.key]))
                for row in rejected
            ],
        )

    async def continue_keys(self, table: Table, highest: int) -> None:
        """Let the target give out keys above every key the source ever gave.

        ALTER SEQUENCE and not setval(): it is undone when the transaction is.
        """
        sequence = await self._connection.fetchval(
            "SELECT pg_get_serial_sequence($1, $2)", f'"{table.name}"', table.key
        )
        if sequence is not None:
            await self._connection.execute(f"ALTER SEQUENCE {sequence} RESTART WITH {highest + 1}")

    async def _empty_dependants(self, tables: Sequence[Table]) -> list[str]:
        """Return the other tables that refer to these; raise TargetInUseError if one holds rows.

        PostgreSQL empties a table only together with those that refer to it.
        """
        found = await self._connection.fetch(
            "WITH RECURSIVE dependants AS ("
            " SELECT conrelid AS oid FROM pg_constraint WHERE contype = 'f'"
            " AND confrelid = ANY($1::text[]::regclass[]::oid[])"
            " UNION SELECT conrelid FROM pg_constraint JOIN dependants d ON confrelid = d.oid"
            " WHERE contype = 'f') "
            "SELECT oid::regclass::text AS name FROM dependants"
            " WHERE oid <> ALL($1::text[]::regclass[]::oid[]) ORDER BY 1",
            [table.name for table in tables],
        )
        names = [row["name"] for row in found]
        for name in names:
            await self._connection.execute(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")
            if await self._connection.fetchval(f"SELECT EXISTS (SELECT FROM {name})"):
                raise TargetInUseError(
                    f"the target's {name} holds rows, and refers by a foreign key to what would be "
                    "replaced; copy that table as well, or into a target without such rows"
                )
        return names

    async def _refuse_rows(self, tables: Sequence[Table]) -> None:
        for table in tables:
            if await self._connection.fetchval(f'SELECT EXISTS (SELECT FROM "{table.name}")'):
                raise TargetNotEmptyError(
                    f"the target's {table.name} already holds rows; "
                    "give --replace to empty the copied tables first (in the same transaction)"
                )


def _rules(table: Table) -> list[str]:
    return [_duplicates(table, rule) for rule in table.unique] + [
        _orphans(table, rule) for rule in table.references
    ]


def _orphans(table: Table, rule: Reference) -> str:
    reason = f"has no row in {rule.parent}"
    return (
        f"{_put_aside(table, rule.column, reason)} WHERE NOT EXISTS "
        f'(SELECT FROM "{rule.parent}" p WHERE p.id = s."{rule.column}") ON CONFLICT DO NOTHING'
    )


def _duplicates(table: Table, rule: Unique) -> str:
    reason = "is that of an earlier row" + (", but for case" if rule.ignore_case else "")
    value = f'lower("{rule.column}")' if rule.ignore_case else f'"{rule.column}"'
    earlier_first = f'row_number() OVER (PARTITION BY {value} ORDER BY "{table.key}")'
    ranked = f'SELECT "{table.key}" AS key, {earlier_first} AS nth FROM "{_stage(table)}"'
    return (
        f"{_put_aside(table, rule.column, reason)} JOIN ({ranked}) ranked "
        f'ON ranked.key = s."{table.key}" WHERE nth > 1 ON CONFLICT DO NOTHING'
    )


def _put_aside(table: Table, column: str, reason: str) -> str:
    return (
        f'INSERT INTO "{_aside(table)}" '
        f"SELECT s.\"{table.key}\", '{table.column(column).source}', '{reason}' "
        f'FROM "{_stage(table)}" s'
    )


def _raw_json(table: Table, raw: RawRow) -> str:
    # jsonb takes neither NUL nor bytes; both are shown rather than dropped.
    shown = {name: _printable(value) for name, value in zip(table.source_columns, raw, strict=True)}
    return orjson.dumps(shown).decode()


def _printable(value: str | None) -> str | None:
    return None if value is None else value.replace("\x00", "\\0")


def _stage(table: Table) -> str:
    return f"staged_{table.name}"


def _aside(table: Table) -> str:
    return f"put_aside_{table.name}"
