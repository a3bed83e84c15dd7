"""Extracts: reads the source in batches by key, all within the connection's one snapshot.

Each batch is a query of its own with a LIMIT. A single streamed SELECT would be a little less work
for the server, but it holds the connection while the writer is busy (the server gives up after
net_write_timeout), and it cannot go on from a key.
"""

# ruff: noqa: S608 # SQL takes no parameters for names; ours come from the mapping

from collections.abc import AsyncIterator, Collection, Sequence

from migration_tools.connections import SourceConnection
from migration_tools.mapping import RawRow, Table
from migration_tools.schema import FoundColumn, FoundTable


class SourceCursor:
    """Reads raw rows: texts as the database spells them, the key first."""

    def __init__(self, connection: SourceConnection) -> None:
        self._connection = connection

    async def describe(self, tables: Collection[Table]) -> dict[str, FoundTable]:
        """Return the tables that exist, as the database describes them."""
        names = ", ".join(f"'{table.name}'" for table in tables)
        engines = await self._fetch(
            "SELECT table_name, engine FROM information_schema.tables "
            f"WHERE table_schema = DATABASE() AND table_name IN ({names})"
        )
        columns = await self._fetch(
            "SELECT table_name, column_name, data_type FROM information_schema.columns "
            f"WHERE table_schema = DATABASE() AND table_name IN ({names})"
        )
        return {
            str(name): FoundTable(
                {
                    str(column): FoundColumn(str(kind))
                    for owner, column, kind in columns
                    if owner == name
                },
                transactional=engine == "InnoDB",
            )
            for name, engine in engines
        }

    async def count(self, table: Table) -> int:
        """Return how many rows the snapshot holds."""
        ((rows,),) = await self._fetch(f"SELECT COUNT(*) FROM `{table.name}`")
        return int(rows or 0)

    async def highest_key(self, table: Table) -> int:
        """Return the highest key that was ever given, also to rows that are gone by now."""
        ((highest,),) = await self._fetch(f"SELECT MAX(`{table.key}`) FROM `{table.name}`")
        ((upcoming,),) = await self._fetch(
            "SELECT auto_increment FROM information_schema.tables "
            f"WHERE table_schema = DATABASE() AND table_name = '{table.name}'"
        )
        return max(int(highest or 0), int(upcoming or 1) - 1)

    async def batches(self, table: Table, size: int) -> AsyncIterator[Sequence[RawRow]]:
        """Yield every row of the table in order of its key, at most `size` at a time."""
        after: str | None = None
        while True:
            batch = await self._after(table, after, size)
            if batch:
                yield batch
            if len(batch) < size:
                return
            after = batch[-1][0]

    async def rows(self, table: Table, keys: Sequence[int]) -> Sequence[RawRow]:
        """Return the rows with these keys."""
        listed = ", ".join(map(str, keys))
        return await self._fetch(f"{_select(table)} WHERE `{table.key}` IN ({listed})")

    async def _after(self, table: Table, key: str | None, size: int) -> Sequence[RawRow]:
        where = "" if key is None else f"WHERE `{table.key}` > {int(key)}"
        order = f"ORDER BY `{table.key}` LIMIT {int(size)}"
        return await self._fetch(f"{_select(table)} {where} {order}")

    async def _fetch(self, query: str) -> Sequence[RawRow]:
        async with self._connection.cursor() as cursor:
            await cursor.execute(query)
            rows: Sequence[RawRow] = await cursor.fetchall()
            return rows


def _select(table: Table) -> str:
    columns = ", ".join(f"`{name}`" for name in table.source_columns)
    return f"SELECT {columns} FROM `{table.name}`"
