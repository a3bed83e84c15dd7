"""Making the tables, and mending those that an earlier version made.

The schema only ever grows: a new column has a default or may be null, so that the processes of the
version before, which go on during an upgrade, write without knowing of it.
"""

from __future__ import annotations

from sqlalchemy import Connection, MetaData, Table, inspect, text
from sqlalchemy.schema import CreateColumn

_LOCK = 0x6375746F7665  # "cutove": any number that nobody else takes


def ensure_schema(connection: Connection, metadata: MetaData) -> None:
    """Make what is missing: tables, columns, indexes.

    Several processes may do this at once. SQLite lets one writer in at a time; PostgreSQL, where
    CREATE TABLE IF NOT EXISTS can fail when two race, takes a lock until the transaction ends.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    present = set(inspect(connection).get_table_names())
    metadata.create_all(connection)
    for table in metadata.sorted_tables:
        if table.name in present:
            _mend(connection, table)


def _mend(connection: Connection, table: Table) -> None:
    inspector = inspect(connection)
    columns = {column["name"] for column in inspector.get_columns(table.name)}
    prepare = connection.dialect.identifier_preparer
    for column in table.c:
        if column.name not in columns:
            spelled = CreateColumn(column).compile(dialect=connection.dialect)
            name = prepare.format_table(table)
            connection.execute(text(f"ALTER TABLE {name} ADD COLUMN {spelled}"))
    indexes = {index["name"] for index in inspector.get_indexes(table.name)}
    for index in table.indexes:
        if index.name not in indexes:
            index.create(connection)
