"""Who acts, kept in PostgreSQL: one row with a token that only grows, by the database's clock.

In the same beat a host says that it is there and reads who else is. Taking the lease waits for the
transactions of whoever held it before (see `store.fence`), so what is read afterwards is final.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from proxy.control.hosts.tenure import TTL
from proxy.control.store.tables import hosts, lease, metadata, versions
from proxy.errors import ConflictError
from shadow_compare.store.database import Database

FORGET: Final = 600.0
"""Seconds after which a host that is gone is shown no more."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a host says of itself. `place` tells hosts apart that were given one name by mistake.

    `token` is the newest that it has met in Redis: a new database has to begin above it. `keys` is
    the fingerprint of its keys, which should be the same on all hosts.
    """

    name: str
    place: str
    url: str
    bus: bool
    version: int
    problem: str = ""
    token: int = 0
    keys: str = ""


@dataclass(frozen=True, slots=True)
class HostSeen:
    """What a host has said of itself, `seen` seconds ago."""

    name: str
    place: str
    url: str
    seen: float
    bus: bool
    version: int
    problem: str
    keys: str

    @property
    def is_there(self) -> bool:
        """Whether it has been heard of lately."""
        return self.seen < TTL


@dataclass(frozen=True, slots=True)
class View:
    """Everybody, at one beat: the newest token and who has it, and the newest version stored.

    `acting` is None while the lease has run out. `granted` is whether it is ours.
    """

    token: int
    acting: str | None
    granted: bool
    hosts: tuple[HostSeen, ...]
    version: int


class Lease(Protocol):
    """The one place where it is decided who acts; every method raises StoreError."""

    async def beat(self, me: Report, token: int | None, *, wants: bool) -> View:
        """Report; renew the lease that is ours under a token, or take it if it is free and wanted.

        Raises ConflictError when another host bears our name.

        What a controller of the same place has left behind is free: it is known to have ended.
        """
        ...

    async def release(self, token: int) -> None:
        """Let go of a lease, so that nobody has to wait for its end."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...


class SqlLease:
    """The lease in PostgreSQL."""

    def __init__(self, url: str) -> None:
        self._database = Database(url, metadata)

    async def beat(self, me: Report, token: int | None, *, wants: bool) -> View:
        """Report; renew the lease, or take it if it is free and wanted."""
        async with self._database.begin() as connection:
            # Nothing here may wait for long: whoever is frozen in a transaction loses it.
            await connection.execute(text("SET LOCAL lock_timeout = '1500ms'"))
            await _only_one(connection, me)
            await connection.execute(_reported(me))
            granted = await _renewed(connection, token)
            if token is None and wants:
                granted = await _taken(connection, me)
            return await _view(connection, granted)

    async def release(self, token: int) -> None:
        """Let go of a lease."""
        async with self._database.begin() as connection:
            ours = update(lease).where(lease.c.token == token)
            await connection.execute(ours.values(until=0.0, place=""))

    async def close(self) -> None:
        """Let go of the database."""
        await self._database.close()


_now: Any = func.extract("epoch", func.clock_timestamp())


async def _only_one(connection: AsyncConnection, me: Report) -> None:
    """Refuse a name that another host bears."""
    other = (hosts.c.name == me.name) & (hosts.c.place != me.place) & (hosts.c.seen > _now - TTL)
    if (await connection.execute(select(hosts.c.name).where(other))).first() is not None:
        raise ConflictError(f"another proxy is called {me.name}, too: give this one its own --host")


def _reported(me: Report) -> Any:
    said = {"place": me.place, "url": me.url, "bus": me.bus, "version": me.version,
            "problem": me.problem, "keys": me.keys, "seen": _now}  # fmt: skip
    row = postgresql.insert(hosts).values(name=me.name, **said)
    return row.on_conflict_do_update(index_elements=[hosts.c.name], set_=said)


async def _renewed(connection: AsyncConnection, token: int | None) -> bool:
    if token is None:
        return False
    ours = update(lease).where(lease.c.token == token).values(until=_now + TTL)
    return (await connection.execute(ours)).rowcount == 1


async def _taken(connection: AsyncConnection, me: Report) -> bool:
    free = (lease.c.until < _now) | (lease.c.place == me.place)
    newer = func.greatest(lease.c.token, me.token) + 1
    term = {"token": newer, "host": me.name, "place": me.place, "until": _now + TTL}
    taken = await connection.execute(update(lease).where(free).values(term))
    if taken.rowcount == 1:
        return True
    if (await connection.execute(select(lease.c.id))).first() is not None:
        return False
    first = {**term, "id": 1, "token": me.token + 1}
    row = postgresql.insert(lease).values(first).on_conflict_do_nothing()
    return (await connection.execute(row)).rowcount == 1


async def _view(connection: AsyncConnection, granted: bool) -> View:
    held = (await connection.execute(select(lease, (lease.c.until > _now).label("holds")))).first()
    seen = (_now - hosts.c.seen).label("ago")
    found = await connection.execute(select(hosts, seen).order_by(hosts.c.name))
    newest = (await connection.execute(select(func.max(versions.c.number)))).scalar()
    return View(
        token=held.token if held is not None else 0,
        acting=held.host if held is not None and held.holds else None,
        granted=granted,
        hosts=tuple(
            HostSeen(
                row.name, row.place, row.url, max(0.0, float(row.ago)), row.bus, row.version,
                row.problem, row.keys,
            )
            for row in found
            if row.ago < FORGET
        ),
        version=newest or 0,
    )  # fmt: skip
