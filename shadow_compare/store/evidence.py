"""Keeping what speaks for rules: sums over all workers, by route and place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    delete,
    func,
    or_,
    select,
)

from shadow_compare.evidence import (
    DISAGREED,
    DISAGREED_LEAST,
    LOOKED_AT,
    LOOKED_AT_LEAST,
    NOWHERE,
    Fact,
)
from shadow_compare.noise import Place
from shadow_compare.store.database import Database
from shadow_compare.store.tables import evidence
from shadow_compare.store.upsert import insert_into

FADES: float = 7 * 86_400.0
"""Seconds after which a fact that was not seen again is forgotten."""

_PLACE = ("route", "rules", "what", "path")
_KEY = (*_PLACE, "kind")


@dataclass(frozen=True, slots=True)
class Known:
    """The counts of one place by kind of fact, and those of its whole route."""

    route: str
    place: Place
    counts: dict[str, int]
    whole: Mapping[str, int]


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

    async def places(self) -> list[tuple[str, str]]:
        """Give route and path of each place about which enough was seen to propose a rule."""
        known = _ranked(None).subquery()
        async with self._database.read() as connection:
            rows = await connection.execute(select(known.c.route, known.c.path).distinct())
            return [(route, path) for route, path in rows]

    async def strong(
        self,
        route: str | None = None,
        *,
        path: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Known]:
        """Give places about which enough was seen to propose a rule, what was seen most first.

        The database ranks them, so that few of what may be a hundred thousand facts are read.
        `limit` and `offset` count reasons, of which a place may have two; it is given once.
        """
        ranked = _ranked(route)
        if path is not None:
            ranked = ranked.where(evidence.c.path == path)
        chosen = ranked.limit(limit).offset(offset).subquery()
        facts = (
            select(chosen.c.route, chosen.c.what, chosen.c.path, evidence.c.kind, evidence.c.count)
            .join_from(chosen, evidence, and_(*(evidence.c[n] == chosen.c[n] for n in _PLACE)))
            .order_by(chosen.c.times.desc(), *(chosen.c[n] for n in (*_PLACE, "why")))
        )
        latest = _latest(route).subquery()
        whole = (
            select(evidence.c.route, evidence.c.kind, evidence.c.count)
            .join_from(latest, evidence, _of_rules(latest))
            .where(evidence.c.what == NOWHERE.what, evidence.c.path == NOWHERE.path)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(facts)).all()
            totals: dict[str, dict[str, int]] = {}
            for name, kind, count in await connection.execute(whole):
                totals.setdefault(name, {})[kind] = count
        found: dict[tuple[str, Place], Known] = {}
        for name, what, path, kind, count in rows:
            place = Place(what, path)
            fresh = Known(name, place, {}, totals.get(name, {}))
            found.setdefault((name, place), fresh).counts[kind] = count
        return list(found.values())


def _latest(route: str | None) -> Select[Any]:
    """Choose of each route the rules under which something was seen last."""
    last = func.max(evidence.c.seen)
    place = func.row_number().over(
        partition_by=evidence.c.route, order_by=(last.desc(), evidence.c.rules)
    )
    known = select(evidence.c.route, evidence.c.rules, place.label("place")).group_by(
        evidence.c.route, evidence.c.rules
    )
    if route is not None:
        known = known.where(evidence.c.route == route)
    each = known.subquery()
    return select(each.c.route, each.c.rules).where(each.c.place == 1)


def _ranked(route: str | None) -> Select[Any]:
    """Choose places by how often they differed from themselves, or were looked at.

    One with many of both comes twice: to group them would cost more than all the rest.
    """
    latest = _latest(route).subquery()
    columns = [evidence.c[name] for name in _PLACE]
    is_enough = or_(
        and_(evidence.c.kind == DISAGREED, evidence.c.count >= DISAGREED_LEAST),
        and_(evidence.c.kind == LOOKED_AT, evidence.c.count >= LOOKED_AT_LEAST),
    )
    return (
        select(*columns, evidence.c.kind.label("why"), evidence.c.count.label("times"))
        .join_from(latest, evidence, _of_rules(latest))
        .where(is_enough)
        .order_by(evidence.c.count.desc(), *columns, evidence.c.kind)
    )


def _of_rules(latest: Subquery) -> ColumnElement[bool]:
    return and_(evidence.c.route == latest.c.route, evidence.c.rules == latest.c.rules)
