"""One text per value that both databases can produce by themselves, in the words of each.

This is the second opinion on `convert`: the same kinds, written in SQL, down to the same text on
both sides. The text is the legacy database's own spelling wherever there is one.
"""

from typing import assert_never

from migration_tools.convert import (
    CalendarDate,
    Choice,
    Flag,
    Integer,
    JsonObject,
    LocalTime,
    Midnight,
    MinorUnits,
    NotConvertibleError,
    Nothing,
    Text,
    UtcTime,
    json_object,
)
from migration_tools.fingerprint import NULL, Spelled
from migration_tools.mapping import Column, Table

MYSQL_TIME = "%Y-%m-%d %H:%i:%s.%f"
POSTGRES_TIME = "YYYY-MM-DD HH24:MI:SS.US"


def needs_python(table: Table) -> bool:
    """Whether a column has no common spelling in SQL: the two databases print JSON differently."""
    return any(isinstance(column.kind, JsonObject) for column in table.columns)


def finish(table: Table, fields: tuple[Spelled, ...]) -> tuple[Spelled, ...]:
    """Return fetched fields with the columns that only Python can spell, spelled."""
    return tuple(
        _spell_json(field) if isinstance(column.kind, JsonObject) else field
        for column, field in zip(table.columns, fields, strict=True)
    )


def _spell_json(field: Spelled) -> Spelled:
    try:
        return None if field is None else json_object(field)
    except NotConvertibleError:
        return field  # a value that could not have been copied differs, whatever its spelling


def source_fields(table: Table) -> list[str]:
    """Return one MySQL expression per target column, each a utf8mb4 text or null."""
    return [_source_field(column) for column in table.columns]


def target_fields(table: Table, zone: str) -> list[str]:
    """Return one PostgreSQL expression per target column, each a text or null."""
    return [_target_field(column, zone) for column in table.columns]


def source_row(table: Table) -> str:
    """Return the MySQL expression of `fingerprint.spell_row`."""
    fields = source_fields(table)
    spelled = (f"COALESCE(CONCAT(CHAR_LENGTH({f}), ':', {f}), '{NULL}')" for f in fields)
    return f"CONCAT({', '.join(spelled)})"


def target_row(table: Table, zone: str) -> str:
    """Return the PostgreSQL expression of `fingerprint.spell_row`."""
    fields = target_fields(table, zone)
    return " || ".join(f"coalesce(char_length({f}) || ':' || ({f}), '{NULL}')" for f in fields)


def minor_units_in_source(column: Column) -> str:
    """Return the MySQL expression of an amount in hundredths."""
    return f"CAST(`{column.source}` * 100 AS DECIMAL(30,0))"


def _source_field(column: Column) -> str:
    name = f"`{column.source}`"
    match column.kind:
        case Integer() | Flag():
            spelled = f"CAST({name} AS CHAR)"
        case Text() | Choice() | JsonObject():
            spelled = name
        case MinorUnits():
            spelled = f"CAST({minor_units_in_source(column)} AS CHAR)"
        case LocalTime() | UtcTime():
            spelled = f"DATE_FORMAT(NULLIF({name}, '0000-00-00 00:00:00'), '{MYSQL_TIME}')"
        case Midnight():
            spelled = f"DATE_FORMAT(NULLIF({name}, '0000-00-00'), '%Y-%m-%d 00:00:00.000000')"
        case CalendarDate():
            spelled = f"DATE_FORMAT(NULLIF({name}, '0000-00-00'), '%Y-%m-%d')"
        case Nothing():
            return "CAST(NULL AS CHAR)"
        case _:
            assert_never(column.kind)
    if column.null_as is not None:
        spelled = f"COALESCE({spelled}, '{column.null_as}')"
    # One character set and collation for all: MySQL refuses to concatenate a mixture.
    return f"CONVERT({spelled} USING utf8mb4) COLLATE utf8mb4_bin"


def _target_field(column: Column, zone: str) -> str:
    name = f'"{column.target}"'
    match column.kind:
        case Integer() | Text() | Choice() | MinorUnits() | JsonObject() | Nothing():
            return f"{name}::text"
        case Flag():
            return f"{name}::int::text"
        case LocalTime() | Midnight():
            return f"to_char({name} AT TIME ZONE '{zone}', '{POSTGRES_TIME}')"
        case UtcTime():
            return f"to_char({name} AT TIME ZONE 'UTC', '{POSTGRES_TIME}')"
        case CalendarDate():
            return f"to_char({name}, 'YYYY-MM-DD')"
        case _:
            assert_never(column.kind)
