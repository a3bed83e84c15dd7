from datetime import UTC, datetime

import pytest
import sqlalchemy
from sqlalchemy.dialects import postgresql

from migration_tools.convert import Text
from migration_tools.mapping import (
    BILLING_HISTORY,
    SUBSCRIPTIONS,
    TABLES,
    USERS,
    RowRejectedError,
    Table,
    row_converter,
)
from migration_tools.schema import FoundColumn, FoundTable, target_drift
from modern.billing.tables import billing_history

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy left it bare
MODERN = billing_history.metadata.tables
POSTGRES_NAMES = {
    "VARCHAR": "varchar",
    "CHAR": "bpchar",
    "TEXT": "text",
    "INTEGER": "int4",
    "BOOLEAN": "bool",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "JSONB": "jsonb",
}
each_table = pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])


@each_table
def test_every_modern_column_is_mapped(table: Table) -> None:
    """The mapping names each column of the modern table, and no other."""
    assert set(table.target_columns) == set(MODERN[table.name].columns.keys())


@each_table
def test_modern_types_are_those_of_the_mapping(table: Table) -> None:
    """The tables that the modern application declares are the target that the mapping expects."""
    found = FoundTable(
        {
            column.name: FoundColumn(
                POSTGRES_NAMES[column.type.compile(DIALECT).partition("(")[0]],
                limit=getattr(column.type, "length", None),
            )
            for column in MODERN[table.name].columns
        }
    )
    assert list(target_drift(table, found)) == []


@each_table
def test_nulls_go_only_where_modern_takes_them(table: Table) -> None:
    """A column is nullable in the mapping exactly when it is in the modern table."""
    for column in table.columns:
        assert column.nullable == MODERN[table.name].columns[column.target].nullable, column


@each_table
def test_text_limits_are_those_of_modern(table: Table) -> None:
    """A text may be as long as the modern column, not longer and not less."""
    for column in table.columns:
        if isinstance(column.kind, Text):
            kind = MODERN[table.name].columns[column.target].type
            assert isinstance(kind, sqlalchemy.String)
            assert column.kind.limit == kind.length, column


@each_table
def test_references_are_those_of_modern(table: Table) -> None:
    """The mapping knows each foreign key of the modern table, and loads parents first."""
    keys = MODERN[table.name].foreign_keys
    mapped = {(reference.column, reference.parent) for reference in table.references}
    assert mapped == {(key.parent.name, key.column.table.name) for key in keys}
    loaded = [one.name for one in TABLES[: TABLES.index(table)]]
    assert {parent for _, parent in mapped} <= set(loaded)


def test_secrets_are_never_printed() -> None:
    """The columns that must not appear in a report say so."""
    secret = [c.target for t in TABLES for c in t.columns if c.secret]
    assert secret == ["password_hash", "payment_method"]


def test_row_of_a_subscription() -> None:
    """One raw row becomes one converted row, with the derived columns from the legacy ones."""
    assert SUBSCRIPTIONS.source_columns == (
        "id",
        "user_id",
        "plan_id",
        "status",
        "created_at",
        "next_billing_date",
    )
    convert = row_converter(SUBSCRIPTIONS, UTC)
    row = convert(("40", "17", "2", "active", "2024-03-01 10:00:00", "2026-12-01"))
    made, due = datetime(2024, 3, 1, 10, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    assert row == (40, 17, 2, "active", made, due, None, None, made, made)


def test_null_of_a_required_column() -> None:
    """A null where the target needs a value rejects the row and names the source's column."""
    convert = row_converter(SUBSCRIPTIONS, UTC)
    with pytest.raises(RowRejectedError) as caught:
        convert(("40", "17", "2", "active", "2024-03-01 10:00:00", "0000-00-00"))
    assert caught.value.column == "next_billing_date"
    assert caught.value.reason == "is null or a zero date, and the target requires a value"


def test_null_with_a_declared_replacement() -> None:
    """A null becomes what the mapping declares: an empty text, an amount of nothing."""
    raw = ("1", "2", "3", "29.00", "EUR", "paid", None, "2026-11-01 03:00:00", None, None, None)
    row = row_converter(BILLING_HISTORY, UTC)(raw)
    values = dict(zip(BILLING_HISTORY.target_columns, row, strict=True))
    assert (values["description"], values["refunded_minor"]) == ("", 0)


def test_unknown_column() -> None:
    """Asking for a column that is not mapped says which."""
    with pytest.raises(KeyError, match=r"users\.shoe_size is not in the mapping"):
        USERS.column("shoe_size")
