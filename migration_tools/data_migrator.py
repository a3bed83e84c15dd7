"""The copy in its four steps, and the verification alone. Read `migrate_all_data` first.

All four steps happen between the begin and the commit of one transaction in the target, over one
snapshot of the source. So a run that is killed leaves the target as it was, writes to the legacy
application in the meantime cannot make the verification fail, and nothing is ever committed that
was not verified.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from migration_tools.addresses import SourceAddress, TargetAddress
from migration_tools.connections import TargetConnection, open_source, open_target
from migration_tools.cursor import SourceCursor
from migration_tools.errors import SchemaDriftError, TooManyRejectedError, VerificationError
from migration_tools.mapping import TABLES, RawRow, Row, RowRejectedError, Table, row_converter
from migration_tools.progress import Watcher
from migration_tools.report import (
    CopyReport,
    Rejections,
    TableCopied,
    TableVerification,
    VerifyReport,
)
from migration_tools.schema import source_drift, target_drift
from migration_tools.sides import SourceSide, TargetSide
from migration_tools.verify import verify_table
from migration_tools.writer import Rejected, TargetWriter

EXAMPLES_SHOWN = 10
DEFAULT_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """What the caller of a copy decides."""

    tables: tuple[Table, ...] = TABLES
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    batch_size: int = DEFAULT_BATCH
    max_rejected: int = 0
    replace: bool = False
    dry_run: bool = False


class DataMigrator:
    """Copies the tables of the mapping from a source to a target."""

    def __init__(
        self,
        cursor: SourceCursor,
        writer: TargetWriter,
        source: Callable[[Mapping[str, Sequence[int]]], SourceSide],
        target: TargetSide,
        options: CopyOptions,
        watcher: Watcher,
    ) -> None:
        self._cursor, self._writer = cursor, writer
        self._source_without, self._target = source, target
        self._options, self._watcher = options, watcher
        self._rejections: dict[tuple[str, str, str], Rejections] = {}
        self._report = CopyReport()

    async def migrate_all_data(self) -> CopyReport:
        """Copy, verify, and return the report; raise CopyRefusedError when the data is at fault."""
        began = time.perf_counter()
        await refuse_drift(self._cursor, self._writer, self._options.tables)
        await self._writer.prepare(self._options.tables, replace=self._options.replace)
        for table in self._options.tables:
            await self._copy(table)
        self._report.rejections = list(self._rejections.values())
        self._report.seconds = time.perf_counter() - began
        self._refuse_rejected()
        await self._verify()
        self._report.seconds = time.perf_counter() - began
        self._report.outcome = "dry run" if self._options.dry_run else "copied"
        return self._report

    async def _copy(self, table: Table) -> None:
        copied, began = TableCopied(table.name), time.perf_counter()
        self._report.tables.append(copied)
        self._watcher.begin(table.name, await self._cursor.count(table))
        convert = row_converter(table, self._options.zone)
        batches = self._cursor.batches(table, self._options.batch_size)
        async with aclosing(one_ahead(batches)) as extracted:
            async for batch in extracted:
                rows, rejected = transform(convert, batch)
                await self._writer.copy(table, rows)
                await self._reject(table, copied, rejected, batch)
                copied.read += len(batch)
                self._watcher.advance(len(batch))
        self._watcher.settle()
        copied.loaded = await self._writer.settle(table)
        async for page in self._writer.put_aside(table):
            raw = await self._cursor.rows(table, [row.key for row in page])
            await self._reject(table, copied, page, raw)
        await self._writer.continue_keys(table, await self._cursor.highest_key(table))
        copied.seconds = time.perf_counter() - began
        self._watcher.end()

    async def _reject(
        self,
        table: Table,
        copied: TableCopied,
        rejected: Sequence[Rejected],
        raw: Sequence[RawRow],
    ) -> None:
        if not rejected:
            return
        await self._writer.quarantine(table, rejected, {int(row[0] or 0): row for row in raw})
        copied.rejected += len(rejected)
        for row in rejected:
            group = (table.name, row.column, row.reason)
            rejections = self._rejections.setdefault(group, Rejections(*group))
            rejections.rows += 1
            if len(rejections.first_keys) < EXAMPLES_SHOWN:
                rejections.first_keys.append(row.key)

    def _refuse_rejected(self) -> None:
        rejected, allowed = self._report.rejected, self._options.max_rejected
        if rejected > allowed:
            raise TooManyRejectedError(
                f"{rejected:,} rows were rejected and --max-rejected allows {allowed:,}: nothing "
                f"was committed; mend them in the source, or leave them in quarantine with "
                f"--max-rejected {rejected}",
                self._report,
            )

    async def _verify(self) -> None:
        quarantined = await self._target.quarantined(self._options.tables)
        self._watcher.begin("verification", sum(table.read for table in self._report.tables))
        self._report.verification = await verify_tables(
            self._options.tables,
            self._source_without(quarantined),
            self._target,
            quarantined,
            self._watcher,
        )
        if not self._report.verification.equal:
            raise VerificationError(
                "the loaded rows are not those of the source: nothing was committed", self._report
            )


async def copy(
    source: SourceAddress, target: TargetAddress, options: CopyOptions, watcher: Watcher
) -> CopyReport:
    """Open both databases, copy in one transaction, and return the report; raise MigrationError."""
    async with AsyncExitStack() as stack:
        reading = await stack.enter_async_context(open_source(source))
        writing = await stack.enter_async_context(open_target(target))
        await stack.enter_async_context(_one_transaction(writing, keep=not options.dry_run))
        migrator = DataMigrator(
            SourceCursor(reading),
            TargetWriter(writing),
            lambda quarantined: SourceSide(reading, quarantined),
            TargetSide(writing, options.zone.key),
            options,
            watcher,
        )
        return await migrator.migrate_all_data()


async def verify(
    source: SourceAddress,
    target: TargetAddress,
    tables: tuple[Table, ...],
    zone: ZoneInfo,
    watcher: Watcher,
) -> VerifyReport:
    """Open both databases and compare one snapshot of each; raise MigrationError."""
    async with open_source(source) as reading, open_target(target) as writing:
        cursor = SourceCursor(reading)
        await refuse_drift(cursor, TargetWriter(writing), tables)
        watcher.begin("verification", sum([await cursor.count(table) for table in tables]))
        async with writing.transaction(isolation="repeatable_read", readonly=True):
            side = TargetSide(writing, zone.key)
            quarantined = await side.quarantined(tables)
            source_side = SourceSide(reading, quarantined)
            return await verify_tables(tables, source_side, side, quarantined, watcher)


async def verify_tables(
    tables: Sequence[Table],
    source: SourceSide,
    target: TargetSide,
    quarantined: Mapping[str, Sequence[int]],
    watcher: Watcher,
) -> VerifyReport:
    """Compare the tables one after the other."""
    began = time.perf_counter()
    found: list[TableVerification] = []
    for table in tables:
        aside = len(quarantined.get(table.name, ()))
        found.append(await verify_table(table, source, target, aside))
        watcher.advance(found[-1].source.rows + aside)
    watcher.end()
    return VerifyReport(tuple(found), time.perf_counter() - began)


async def refuse_drift(cursor: SourceCursor, writer: TargetWriter, tables: Sequence[Table]) -> None:
    """Raise SchemaDriftError if either schema is not the one the mapping was written for."""
    here, there = await asyncio.gather(cursor.describe(tables), writer.describe(tables))
    drift = [line for t in tables for line in source_drift(t, here.get(t.name))]
    drift += [line for t in tables for line in target_drift(t, there.get(t.name))]
    if drift:
        raise SchemaDriftError("the schemas are not those of the mapping:\n  " + "\n  ".join(drift))


def transform(
    convert: Callable[[RawRow], Row], batch: Sequence[RawRow]
) -> tuple[list[Row], list[Rejected]]:
    """Convert a batch; return the rows that can be loaded and those that cannot, with reasons."""
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for raw in batch:
        try:
            rows.append(convert(raw))
        except RowRejectedError as error:
            rejected.append(Rejected(int(raw[0] or 0), error.column, error.reason))
    return rows, rejected


async def one_ahead(
    batches: AsyncIterator[Sequence[RawRow]],
) -> AsyncGenerator[Sequence[RawRow], None]:
    """Yield the batches, reading the next one while the caller works on the last."""
    upcoming = asyncio.ensure_future(anext(batches, None))
    try:
        while batch := await upcoming:
            upcoming = asyncio.ensure_future(anext(batches, None))
            yield batch
    finally:
        upcoming.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await upcoming


@asynccontextmanager
async def _one_transaction(connection: TargetConnection, *, keep: bool) -> AsyncIterator[None]:
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    except BaseException:
        with suppress(Exception):  # the first error is the news; a lost connection rolls back too
            await transaction.rollback()
        raise
    await (transaction.commit() if keep else transaction.rollback())
