"""Surrogate ids of a dry run: from a range of their own, so that no sequence is used up.

A transaction that is rolled back gives no number back to a sequence: a thousand mirrored writes
would leave a gap of a thousand, and halve what a 32-bit key has left. So rows that are inserted in
a dry run are given their ids here, at random from the upper half of what the column holds, where
two dry runs hardly ever meet.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, Insert, Integer, SmallInteger, Table

from shadow_compare.dry_run.run import is_dry_run

_INTEGER: Final = range(2**30, 2**31 - 1)
_BIG_INTEGER: Final = range(2**52, 2**53 - 1)
"""Ids up to 2**53 survive a JavaScript that reads them."""

Rows = Sequence[Mapping[str, Any]]


def give_ids(
    _connection: Connection,
    statement: Any,
    rows: Rows,
    row: Mapping[str, Any],
    _options: Mapping[str, Any],
) -> tuple[Any, Rows, Mapping[str, Any]]:
    """Add ids to what is inserted: a listener of SQLAlchemy's `before_execute`."""
    if not (is_dry_run() and isinstance(statement, Insert) and isinstance(statement.table, Table)):
        return statement, rows, row
    column = statement.table.autoincrement_column
    numbers = None if column is None else _range(column)
    if column is None or numbers is None or _is_given(statement, column):
        return statement, rows, row
    if rows:
        return statement, [_with_id(each, column, numbers) for each in rows], row
    if row:
        return statement, rows, _with_id(row, column, numbers)
    return statement.values({column: random.choice(numbers)}), rows, row  # noqa: S311 - no secret


def _range(column: Column[Any]) -> range | None:
    """Give the numbers for a column; none for one that is too small to spare any."""
    if isinstance(column.type, BigInteger):
        return _BIG_INTEGER
    if isinstance(column.type, Integer) and not isinstance(column.type, SmallInteger):
        return _INTEGER
    return None


def _is_given(statement: Insert, column: Column[Any]) -> bool:
    """Whether the statement names the id itself, or is of a form that cannot be added to."""
    values: Mapping[Any, Any] = statement._values or {}  # noqa: SLF001 - there is no public way to ask
    several = statement._multi_values or statement.select is not None  # noqa: SLF001 - as above
    return bool(several) or column in values or column.key in values


def _with_id(row: Mapping[str, Any], column: Column[Any], numbers: range) -> Mapping[str, Any]:
    if column.key in row:
        return row
    return {**row, column.key: random.choice(numbers)}  # noqa: S311 - no secret
