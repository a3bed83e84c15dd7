"""Counting a batch of comparisons: by time, route, method, status and verdict; rules that fired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow_compare.store.grain import buckets
from shadow_compare.store.record import COMPARED, Record
from shadow_compare.store.tables import hits, tallies, totals
from shadow_compare.store.upsert import Key, add_up

_RULE_MAX = 300
_METHOD_MAX = 20


async def count(connection: AsyncConnection, records: Iterable[Record]) -> dict[str, int]:
    """Count a batch; gives how many pairs of each of its routes were compared before it."""
    verdicts: Counter[Key] = Counter()
    rules: Counter[Key] = Counter()
    compared: Counter[Key] = Counter()
    for record in records:
        compared[(record.route,)] += record.count if record.verdict in COMPARED else 0
        for bucket in buckets(record.minute):
            verdicts[
                *bucket, record.route, record.method[:_METHOD_MAX], record.status_class,
                record.verdict, record.reason,
            ] += record.count  # fmt: skip
            for rule, times in record.fired:
                rules[*bucket, record.route, rule[:_RULE_MAX]] += times
    await add_up(connection, totals, compared)
    await add_up(connection, tallies, verdicts)
    await add_up(connection, hits, rules)
    routes = [route for (route,) in compared]
    query = select(totals.c.route, totals.c.compared).where(totals.c.route.in_(routes))
    return {
        route: int(number) - compared[(route,)] for route, number in await connection.execute(query)
    }
