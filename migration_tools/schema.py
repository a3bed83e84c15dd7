"""Whether both schemas are those that the mapping was written for (pure).

A copy that goes on over a column it does not know loses that column without a word, so any
difference stops the run before the first row is read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

from migration_tools.convert import (
    CalendarDate,
    Choice,
    Flag,
    Integer,
    JsonObject,
    Kind,
    LocalTime,
    Midnight,
    MinorUnits,
    Nothing,
    Text,
    UtcTime,
)
from migration_tools.mapping import Table

MYSQL_INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint"})
MYSQL_TEXTS = frozenset(
    {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"}
)
POSTGRES_TEXTS = frozenset({"varchar", "bpchar", "text"})
POSTGRES_INTEGERS = frozenset({"int4", "int8"})
ANYTHING = frozenset[str]()


@dataclass(frozen=True, slots=True)
class FoundColumn:
    """A column as a database describes it: MySQL's DATA_TYPE or PostgreSQL's udt_name."""

    type: str
    optional: bool = True  # may be left out of an INSERT
    limit: int | None = None  # longest text, in characters


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table as a database describes it."""

    columns: Mapping[str, FoundColumn]
    transactional: bool = True  # takes part in a consistent snapshot


def source_drift(table: Table, found: FoundTable | None) -> Iterator[str]:
    """Yield each way in which the source table is not what the mapping expects."""
    if found is None:
        yield f"source table {table.name} does not exist"
        return
    if not found.transactional:
        yield f"source table {table.name} is not InnoDB, so it has no consistent snapshot"
    expected = set(table.source_columns)
    for name in sorted(expected - found.columns.keys()):
        yield f"source column {table.name}.{name} is missing"
    for name in sorted(found.columns.keys() - expected):
        yield f"source column {table.name}.{name} is not in the mapping and would be lost"
    for column in table.columns:
        there = found.columns.get(column.source or "")
        accepted = _source_types(column.kind)
        if there is not None and accepted and there.type not in accepted:
            yield (
                f"source column {table.name}.{column.source} is {there.type}, "
                f"and the mapping reads {' or '.join(sorted(accepted))}"
            )


def target_drift(table: Table, found: FoundTable | None) -> Iterator[str]:
    """Yield each way in which the target table is not what the mapping expects."""
    if found is None:
        yield f"target table {table.name} does not exist (has the target been migrated?)"
        return
    expected = set(table.target_columns)
    for name, there in sorted(found.columns.items()):
        if name not in expected and not there.optional:
            yield f"target column {table.name}.{name} requires a value, and the mapping has none"
    for column in table.columns:
        wanted = found.columns.get(column.target)
        if wanted is None:
            yield f"target column {table.name}.{column.target} is missing"
        elif wanted.type not in _target_types(column.kind):
            yield f"target column {table.name}.{column.target} is {wanted.type}"
        elif isinstance(column.kind, Text) and (column.kind.limit or 0) > (wanted.limit or 10**9):
            yield (
                f"target column {table.name}.{column.target} holds {wanted.limit} characters, "
                f"and the mapping allows {column.kind.limit}"
            )


def _source_types(kind: Kind) -> frozenset[str]:
    match kind:
        case Integer() | Flag():
            return MYSQL_INTEGERS
        case Text() | Choice():
            return MYSQL_TEXTS
        case JsonObject():
            return MYSQL_TEXTS | {"json"}
        case MinorUnits():
            return frozenset({"decimal"})
        case LocalTime():
            return frozenset({"datetime"})
        case UtcTime():
            return frozenset({"timestamp"})
        case Midnight() | CalendarDate():
            return frozenset({"date"})
        case Nothing():
            return ANYTHING
        case _:
            assert_never(kind)


def _target_types(kind: Kind) -> frozenset[str]:
    match kind:
        case Integer() | MinorUnits():
            return POSTGRES_INTEGERS
        case Text() | Choice():
            return POSTGRES_TEXTS
        case JsonObject():
            return frozenset({"jsonb"})
        case Flag():
            return frozenset({"bool"})
        case LocalTime() | UtcTime() | Midnight() | Nothing():
            return frozenset({"timestamptz"})
        case CalendarDate():
            return frozenset({"date"})
        case _:
            assert_never(kind)
