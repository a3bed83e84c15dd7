"""Keeping what speaks for rules: sums over all workers, by route and place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Select, and_, delete, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

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
        async with self._database.read() as connection:
            current = await _current(connection, None)
            rows = await connection.execute(_ranked(None, current))
            return sorted({(name, path) for name, _, _, path in rows})

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
        async with self._database.read() as connection:
            current = await _current(connection, route)
            ranked = _ranked(route, current).limit(limit).offset(offset)
            if path is not None:
                ranked = ranked.where(evidence.c.path == path)
            rows = await connection.execute(ranked)
            chosen = {
                (name, rules, what, path): Known(name, Place(what, path), {}, current[name].counts)
                for name, rules, what, path in rows
            }
            facts = select(evidence).where(tuple_(*_columns(_PLACE)).in_(list(chosen)))
            for *place, kind, _, count in await connection.execute(facts):
                chosen[tuple(place)].counts[kind] = count
        return list(chosen.values())


@dataclass(frozen=True, slots=True)
class _Current:
    """The rules under which something of a route was seen last, and the counts of all of it."""

    rules: str
    counts: dict[str, int]


async def _current(connection: AsyncConnection, route: str | None) -> dict[str, _Current]:
    """Give the rules in force by route: with every comparison something is counted at NOWHERE."""
    query = (
        select(*_columns(("route", "rules", "kind", "count")))
        .where(evidence.c.what == NOWHERE.what, evidence.c.path == NOWHERE.path)
        .order_by(evidence.c.seen)
    )
    if route is not None:
        query = query.where(evidence.c.route == route)
    counts: dict[tuple[str, str], dict[str, int]] = {}
    last: dict[str, str] = {}
    for name, rules, kind, count in await connection.execute(query):
        counts.setdefault((name, rules), {})[kind] = count
        last[name] = rules
    return {name: _Current(rules, counts[name, rules]) for name, rules in last.items()}


def _ranked(route: str | None, current: Mapping[str, _Current]) -> Select[Any]:
    """Choose places by how often they differed from themselves, or were looked at.

    One with many of both comes twice: to group them would cost more than all the rest.
    """
    in_force = [(name, each.rules) for name, each in sorted(current.items())]
    is_enough = or_(
        and_(evidence.c.kind == DISAGREED, evidence.c.count >= DISAGREED_LEAST),
        and_(evidence.c.kind == LOOKED_AT, evidence.c.count >= LOOKED_AT_LEAST),
    )
    query = (
        select(*_columns(_PLACE))
        .where(is_enough, tuple_(evidence.c.route, evidence.c.rules).in_(in_force))
        .order_by(evidence.c.count.desc(), *_columns(_KEY))
    )
    return query if route is None else query.where(evidence.c.route == route)


def _columns(names: Iterable[str]) -> list[Column[Any]]:
    return [evidence.c[name] for name in names]
