"""The connections of one worker to one upstream: bounded, reused last-in first-out, queued fairly.

A lease is answered through the lessee's `on_leased` or `on_lease_failed`, often before `lease`
returns: an idle connection costs no task and no future. With one instance and no breaker nothing is
chosen and nothing is watched (`watched`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from itertools import islice
from math import inf
from typing import Final

from proxy.outcome import OutcomeKind
from proxy.routing.upstream_rules import QUEUE_FACTOR, UpstreamRules
from proxy.upstream.breaker import Breaker, State
from proxy.upstream.connect import Connect, connector, explain
from proxy.upstream.connection import Lessee, UpstreamConnection
from proxy.upstream.members import Member, Members, Note
from proxy.upstream.retry import RetryBudget

KEEP_ALIVE_MARGIN: Final = 1.0
"""How much earlier than the upstream we stop reusing an idle connection, in seconds."""

COMPLAIN_AGAIN: Final = 60.0
"""Seconds until the log says once more that an instance cannot be reached for the same reason."""

_STATES: Final = (State.CLOSED, State.HALF_OPEN, State.OPEN)

log = logging.getLogger(__name__)


class Pool:
    """All connections to one upstream. `now` and `chance` are passed in; the pool reads no clock.

    `before` is the pool of the same side under the rules before these: what it knew of an instance
    still holds. Raises TlsError when the rules name files that cannot be used.
    """

    def __init__(
        self,
        rules: UpstreamRules,
        size: int,
        connect: Connect | None = None,
        *,
        note: Note = lambda _event, _label: None,
        chance: Callable[[], float] = lambda: 0.0,
        before: Pool | None = None,
    ) -> None:
        self.rules: Final = rules
        self.size: Final = max(1, size)
        self.connect: Final = connect or connector(rules)
        self.budget: Final = RetryBudget(rules.retry_budget)
        self._note: Final = note
        self._chance: Final = chance
        self.told: float = -inf if before is None else before.told
        known: Members | None = None if before is None else before.members
        self.members: Final[Members] = Members(rules, note, known, self.told)
        self._only: Final = self.members.all[0] if len(self.members.all) == 1 else None
        self._breaker: Final = None if rules.breaker is None else Breaker(rules.breaker)
        self.watched: Final = self._only is None or self._breaker is not None
        self._plain: Final = None if self.watched else self._only
        # Each worker has its part of the queue, as it has of the connections.
        self._max_waiting: Final = (
            self.size * QUEUE_FACTOR
            if rules.max_waiting is None
            else rules.max_waiting * self.size // rules.max_connections
        )
        # By identity: to hash an instance takes three times as long.
        self._by_instance: Final = {id(m.instance): m for m in self.members.all}
        self._waiting: dict[Lessee, None] = {}  # a queue, and quick to find who leaves it
        self._connecting: set[asyncio.Task[None]] = set()
        self._complaints: dict[str, float] = {}
        self._closed = False

    @property
    def figures(self) -> dict[str, int]:
        """How the connections are used now."""
        return {
            "idle": self._idle,
            "leased": self._leased,
            "connecting": len(self._connecting),
            "waiting": len(self._waiting),
        }

    @property
    def instances(self) -> dict[str, list[int]]:
        """Give for each instance whether it takes part (1 or 0), and its requests in flight."""
        return {str(m.instance): [int(m.admitted), m.load] for m in self.members.all}

    @property
    def secure(self) -> bool:
        """Whether any instance is reached over TLS, with what files say."""
        return any(member.instance.secure for member in self.members.all)

    @property
    def breaker(self) -> int | None:
        """Where the breaker stands, if there is one: 0 closed, 1 half open, 2 open."""
        return None if self._breaker is None else _STATES.index(self._breaker.state)

    @property
    def refusal(self) -> str:
        """Say to a client why there was no connection for it: the queue is full, or the breaker."""
        if self._breaker is not None and self._breaker.state is not State.CLOSED:
            return "the application is left alone for a moment: too much has failed"
        return "all connections to the application are in use"

    def is_opening_for(self, lessee: Lessee) -> bool:
        """Whether a connection is being opened for a lease, which `timeouts.connect` bounds.

        Otherwise it waits for one that comes back, and `timeouts.queue` bounds that.
        """
        return lessee in islice(self._waiting, len(self._connecting))

    def lease(self, lessee: Lessee, now: float, fresh: bool = False) -> None:
        """Ask for a connection; a `fresh` one when an idle one has just proved to be stale."""
        self.told = now
        member = self._plain
        if member is None and (member := self._chosen(lessee, now)) is None:
            return
        idle = member.idle
        while idle and not fresh:
            connection = idle.pop()
            if connection.is_usable(now):
                member.leased.add(connection)
                lessee.on_leased(connection, reused=True)
                return
            connection.abort()
        self._queue(lessee, member, now, fresh=fresh)

    def _chosen(self, lessee: Lessee, now: float) -> Member | None:
        """Choose an instance; None when the breaker is open, which the lessee has been told."""
        if self._breaker is not None and not self._breaker.admits(now):
            self._note("breaker_rejections", self.rules.side)
            lessee.on_lease_failed(OutcomeKind.REJECTED)
            return None
        return self._only or self.members.pick(self._chance(), now)

    def _lend(
        self, lessee: Lessee, connection: UpstreamConnection, member: Member, *, reused: bool
    ) -> None:
        member.leased.add(connection)
        lessee.on_leased(connection, reused=reused)

    def _queue(self, lessee: Lessee, member: Member, now: float, *, fresh: bool) -> None:
        """Have a connection opened for the lessee, or given to it when one comes back."""
        if not self._has_room:
            other = self._usable(now)
            if other is not None and not fresh:
                self._lend(lessee, other.idle.pop(), other, reused=True)
                return
            if other is not None:
                other.idle.popleft().abort()  # what is idle must not keep out who may not use it
            elif len(self._waiting) - len(self._connecting) >= self._max_waiting:
                lessee.on_lease_failed(OutcomeKind.REJECTED)
                return
        self._waiting[lessee] = None
        self._open(member)

    def _usable(self, now: float) -> Member | None:
        """Give an instance that has a connection to spare, closing those that have gone stale."""
        for member in self.members.all:
            while member.idle and not member.idle[-1].is_usable(now):
                member.idle.pop().abort()
            if member.idle:
                return member
        return None

    def cancel(self, lessee: Lessee) -> None:
        """Forget a lease that nobody waits for any more."""
        self._waiting.pop(lessee, None)

    def release(
        self, connection: UpstreamConnection, now: float, idle_hint: float | None = None
    ) -> None:
        """Take back a connection whose exchange is complete, for the next one to use."""
        self.told = now
        connection.lessee = None
        if connection.is_closing() or self._closed:
            self.discard(connection)
            return
        if idle_hint is not None:
            connection.idle_limit = min(
                self.rules.timeouts.idle, max(0.0, idle_hint - KEEP_ALIVE_MARGIN)
            )
        member = self._plain
        if member is None or self._waiting:
            member = self._member_of(connection)
            if self._is_passed_on(connection, member):
                return
        member.leased.discard(connection)
        connection.idle_since = now
        member.idle.append(connection)

    def _is_passed_on(self, connection: UpstreamConnection, member: Member) -> bool:
        """Give a connection to whoever waits longest; close it if its instance is out by now."""
        if self.members.is_out(member):
            self.discard(connection)
        elif self._waiting:
            self._next().on_leased(connection, reused=True)
        else:
            return False
        return True

    def discard(self, connection: UpstreamConnection) -> None:
        """Close a connection that cannot be used again."""
        connection.abort()
        self._member_of(connection).leased.discard(connection)
        self._open()

    def report(self, connection: UpstreamConnection, now: float, *, bad: bool) -> None:
        """Take in how an attempt on a connection ended; needed only while `watched`."""
        self._tell_breaker(now, bad=bad)
        if self._only is None:
            self._tell_members(self._member_of(connection), now, bad=bad)

    def note_probe(self, member: Member, now: float, *, good: bool, said: str) -> None:
        """Take in what a probe of an instance said."""
        if self.members.note_probe(member, now, good=good, said=said):
            self._close_idle(member)

    def on_closed(self, connection: UpstreamConnection) -> None:
        """Forget a connection that has closed by itself."""
        member = self._member_of(connection)
        member.leased.discard(connection)
        if connection in member.idle:
            member.idle.remove(connection)
        self._open()

    def sweep(self, now: float) -> None:
        """Close what has been idle for too long, oldest first, and readmit who was out long."""
        self.told = now
        if self._only is None:
            self.members.pass_time(now)
        for member in self.members.all:
            while member.idle and not member.idle[0].is_usable(now):
                member.idle.popleft().abort()

    def close(self) -> None:
        """Close all idle connections; leased ones close when they come back."""
        self._closed = True
        for member in self.members.all:
            self._close_idle(member)

    @property
    def _idle(self) -> int:
        return sum(len(member.idle) for member in self.members.all)

    @property
    def _leased(self) -> int:
        return sum(len(member.leased) for member in self.members.all)

    @property
    def _has_room(self) -> bool:
        return self._leased + self._idle + len(self._connecting) < self.size

    def _next(self) -> Lessee:
        """Take whoever waits longest out of the queue."""
        lessee = next(iter(self._waiting))
        del self._waiting[lessee]
        return lessee

    def _member_of(self, connection: UpstreamConnection) -> Member:
        return self._by_instance[id(connection.instance)]

    def _close_idle(self, member: Member) -> None:
        while member.idle:
            member.idle.pop().abort()

    # Reaching instances

    def _open(self, first: Member | None = None) -> None:
        """Open a connection for each lease that waits, within the bound."""
        while len(self._connecting) < len(self._waiting) and self._has_room:
            member = first or self._only or self.members.pick(self._chance(), self.told)
            first = None
            member.connecting += 1
            task = asyncio.get_running_loop().create_task(self._make(member))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _make(self, first: Member) -> None:
        """Open one connection and hand it, or the failure, to whoever waits longest."""
        reached = await self._reach(first)
        self._connecting.discard(_this_task())
        if reached is None:
            self._tell_breaker(self.told, bad=True)
            if self._waiting:
                self._next().on_lease_failed(OutcomeKind.CONNECT)
            self._open()
            return
        connection, member = reached
        if self._waiting:
            self._lend(self._next(), connection, member, reused=False)
        elif self._closed:
            connection.abort()
        else:
            # Idle at least since the pool was last told the time: closed rather too early.
            connection.idle_since = self.told
            member.idle.append(connection)

    async def _reach(self, first: Member) -> tuple[UpstreamConnection, Member] | None:
        """Try the instances, each once: one that is down takes none of the traffic.

        `first` counts this attempt as one of its own already. A connection that is closed before
        anything was sent counts as none.
        """
        connection = await self._try(first)
        if connection is not None:
            return connection, first
        for member in self.members.others(first):
            member.connecting += 1
            connection = await self._try(member)
            if connection is not None:
                return connection, member
        return None

    async def _try(self, member: Member) -> UpstreamConnection | None:
        timeouts = self.rules.timeouts
        try:
            connection = await self.connect(self, member.instance, timeouts.idle, timeouts.connect)
        except (OSError, TimeoutError) as error:
            self._complain(member, error)
            self._tell_members(member, self.told, bad=True)
            return None
        finally:
            member.connecting -= 1
        if not connection.is_closing():
            return connection
        self._tell_members(member, self.told, bad=True)
        return None

    def _tell_members(self, member: Member, now: float, *, bad: bool) -> None:
        if self.members.report(member, now, bad=bad):
            self._close_idle(member)

    def _tell_breaker(self, now: float, *, bad: bool) -> None:
        if self._breaker is not None and self._breaker.report(now, bad=bad):
            self._note("breaker_openings", self.rules.side)
            log.warning("%s: the breaker is open: too many attempts failed", self.rules.side)

    def _complain(self, member: Member, error: Exception) -> None:
        """Tell an operator why an instance cannot be reached, but not for every request."""
        kind = f"{member.instance} {type(error).__name__}"
        if self.told - self._complaints.get(kind, -inf) >= COMPLAIN_AGAIN:
            self._complaints[kind] = self.told
            log.warning("%s: %s", self.rules.side, explain(error, member.instance))


def _this_task() -> asyncio.Task[None]:
    task = asyncio.current_task()
    if task is None:  # pragma: no cover - a coroutine that runs is run by a task
        raise RuntimeError("not in a task")
    return task
