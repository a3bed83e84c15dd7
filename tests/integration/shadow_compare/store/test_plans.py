"""No page reads more rows than it shows: what the databases say of how they carry queries out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from shadow_compare.report import Cursor, Filters, Report
from shadow_compare.store.database import Database

Ask = Callable[[Report], Awaitable[object]]
Explain = Callable[[Ask], Awaitable[str]]

A_GROUP = Cursor(critical=False, count=3, id="0" * 16)

LISTS: dict[str, Ask] = {
    "all": lambda report: report.signatures(),
    "a route": lambda report: report.signatures(Filters(route="plans"), offset=50),
    "open": lambda report: report.signatures(Filters(state="open")),
    "open after one": lambda report: report.signatures(Filters(state="open"), after=A_GROUP),
    "after one": lambda report: report.signatures(after=replace(A_GROUP, critical=True)),
    "open of a route": lambda report: report.signatures(Filters(route="plans", state="open")),
    "critical of a route": lambda report: report.signatures(Filters(route="plans", critical=True)),
}


@pytest.fixture
async def explain(database: Database) -> Explain:
    """Give what collects the plans of all that a question asks the database."""
    await database.check()
    assert database._opened is not None
    engine = database._opened.engine.sync_engine
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _cur: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    async def plans(ask: Ask) -> str:
        event.listen(engine, "before_cursor_execute", note)
        await ask(Report(database))
        event.remove(engine, "before_cursor_execute", note)
        return "\n".join([await _plan(database, *each) for each in asked])

    return plans


async def _plan(database: Database, statement: str, parameters: Any) -> str:
    async with database.read() as connection:
        if database.url.get_backend_name() == "sqlite":
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return "\n".join(str(row._mapping["detail"]) for row in rows)
        # With so few rows as here reading all of them is the cheapest; the question is whether it
        # could be done otherwise.
        for way in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
            await connection.exec_driver_sql(f"SET LOCAL {way} = off")
        rows = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("name", LISTS)
async def test_lists_come_in_order_from_an_index(explain: Explain, name: str) -> None:
    """Nothing is sorted, and no table is read through."""
    plan = await explain(LISTS[name])
    assert "rank" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan
    assert "Seq Scan" not in plan


async def test_coverage_reads_only_the_time_that_is_asked_for(explain: Explain) -> None:
    """By the primary key, from the first bucket on."""
    plan = await explain(lambda report: report.coverage(since=7 * 86_400.0))
    assert "SCAN comparison_tallies\n" not in plan
    assert "Seq Scan" not in plan
    for table in ("tallies", "hits"):
        by_key = f"SEARCH comparison_{table} USING PRIMARY KEY (grain=? AND start>?" in plan
        assert by_key or f"on comparison_{table}" in plan
    assert "AND start>?" in plan or "(start >= " in plan


async def test_a_signature_is_found_with_its_samples(explain: Explain) -> None:
    """By its id; an empty store has none, and then no samples are looked for."""
    plan = await explain(lambda report: report.signature("0" * 16))
    assert "comparison_signatures" in plan
    assert "SCAN comparison_signatures" not in plan
    assert "Seq Scan" not in plan
