"""Keeping what speaks for rules: sums over all workers, by route and place."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, func, select

from shadow_compare.evidence import Fact
from shadow_compare.noise import Place
from shadow_compare.store.database import Database
from shadow_compare.store.tables import evidence
from shadow_compare.store.upsert import insert_into

FADES: float = 7 * 86_400.0
"""Seconds after which a fact that was not seen again is forgotten."""

_KEY = ("route", "rules", "what", "path", "kind")


class EvidenceStore:
    """Adds up facts; every method raises StoreError when it cannot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, counts: Mapping[Fact, int], now: float) -> None:
        """Add counts that were taken until now, in Unix time, all of them or none."""
        if not counts:
            return
        async with self._database.begin() as connection:
            statement = insert_into(connection, evidence)
            fresh = statement.excluded
            rows = [  # in order: two writers that lock rows in different orders wait for each other
                {**dict(zip(_KEY, fact, strict=True)), "seen": now, "count": count}
                for fact, count in sorted(counts.items())
            ]
            total = evidence.c.count + fresh.count
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=list(_KEY), set_={"count": total, "seen": fresh.seen}
                ),
                rows,
            )

    async def prune(self, now: float) -> None:
        """Forget what was not seen for long."""
        async with self._database.begin() as connection:
            await connection.execute(delete(evidence).where(evidence.c.seen < now - FADES))

    async def facts(self, route: str | None = None) -> dict[str, dict[Place, dict[str, int]]]:
        """Give, by route and place, the facts under the rules that were last in force."""
        query = select(evidence).order_by(evidence.c.route)
        latest = select(evidence.c.route, func.max(evidence.c.seen).label("last")).group_by(
            evidence.c.route
        )
        if route is not None:
            query = query.where(evidence.c.route == route)
            latest = latest.where(evidence.c.route == route)
        async with self._database.read() as connection:
            seen = {row.route: row.last for row in await connection.execute(latest)}
            rows = (await connection.execute(query)).all()
        current = {row.route: row.rules for row in rows if row.seen == seen[row.route]}
        found: dict[str, dict[Place, dict[str, int]]] = {}
        for name, rules, what, path, kind, _, count in rows:
            if rules == current[name]:
                places = found.setdefault(name, {})
                places.setdefault(Place(what, path), {})[kind] = int(count)
        return found
