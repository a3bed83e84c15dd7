"""An INSERT that turns into an UPDATE where the key is taken; both databases write it alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Key = tuple[Any, ...]


def insert_into(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Give the INSERT of this database."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


async def add_up(connection: AsyncConnection, table: Table, amounts: Mapping[Key, int]) -> None:
    """Add to the last column of a table, by the values of its primary key.

    In the order of the keys: two writers that lock rows in different orders wait for each other.
    """
    if not amounts:
        return
    names = [column.name for column in table.primary_key]
    amount = next(column for column in reversed(table.c))
    statement = insert_into(connection, table)
    rows = [
        {**dict(zip(names, key, strict=True)), amount.name: number}
        for key, number in sorted(amounts.items())
    ]
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=names,
            set_={amount.name: amount + statement.excluded[amount.name]},
        ),
        rows,
    )
