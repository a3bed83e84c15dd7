"""How a worker goes, so that no client takes it for an error.

Stopped (SIGTERM), it goes for good, and the host with it:

    leaving    readiness fails; everything else is as before, for the grace time, in which a load
               balancer finds somebody else
    draining   nobody new is let in; every answer says `Connection: close`; an idle connection is
               closed when it has been silent for `LAST_CALL`
    the end    what is left after `drain_seconds` is reset

Retired (SIGUSR2), it makes room for a successor who listens on the same sockets, so nothing is
urgent: readiness stays, the door stays open, and an idle connection is kept until its client asks
once more and is told to close, or is silent for as long as it may be at any time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol

from proxy.serving.plane import Plane

LAST_CALL: Final = 1.0
"""Seconds of silence after which an idle connection is closed while the worker drains."""

LOOK: Final = 0.05
"""Seconds between looks at whether everybody has gone."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a worker takes to go, in seconds: before it drains, to drain, and when retired."""

    grace: float = 0.0
    drain: float = 10.0
    retire: float = 600.0


class Order(IntEnum):
    """What a worker was told; a later order counts when it is greater."""

    SERVE = 0
    RETIRE = 1
    STOP = 2
    HURRY = 3  # stop, without the rest of the grace time


class Leaver(Protocol):
    """A client's connection, as far as it has to end."""

    def drain(self) -> None:
        """End when idle, or after what is on its way."""
        ...

    def cut_off(self) -> None:
        """End now."""
        ...


class Departure:
    """The order that a worker has, and how it is carried out."""

    def __init__(self, plane: Plane, live: Collection[Leaver], patience: Patience) -> None:
        self._plane = plane
        self._live = live
        self._patience = patience
        self._order = Order.SERVE
        self._told = asyncio.Event()
        self.shares_the_door = False
        """Whether it was retired, whatever came after: the sockets are a successor's, too."""

    @property
    def order(self) -> Order:
        """The order in force."""
        return self._order

    def tell(self, order: Order) -> None:
        """Give an order. To stop a second time means: now."""
        if order is Order.STOP and self._order is Order.STOP:
            order = Order.HURRY
        self.shares_the_door |= order is Order.RETIRE and self._order is Order.SERVE
        if order > self._order:
            self._order = order
            self._told.set()

    async def ordered(self) -> Order:
        """Wait for the order to go."""
        await self._told.wait()
        return self._order

    async def grace(self) -> None:
        """Fail readiness, and serve on for the grace time."""
        self._plane.leaving = True
        end = self._plane.now() + self._patience.grace
        while self._order is Order.STOP and (left := end - self._plane.now()) > 0:
            self._told.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), left)

    async def drain(self) -> None:
        """Let exchanges in flight finish, up to the deadline; it comes sooner for a later order."""
        plane, began, order = self._plane, self._plane.now(), Order.SERVE
        plane.draining = True
        while self._live:
            if order is not self._order:
                if order < Order.STOP:
                    began = plane.now()
                order = self._order
                self._begin(order)
            if plane.now() >= began + self._seconds(order):
                break
            await asyncio.sleep(LOOK)
        for leaver in tuple(self._live):
            leaver.cut_off()

    def _begin(self, order: Order) -> None:
        if order > Order.RETIRE:
            self._plane.leaving = True
            self._plane.idle_seconds = LAST_CALL
        for leaver in tuple(self._live):
            leaver.drain()

    def _seconds(self, order: Order) -> float:
        return self._patience.retire if order is Order.RETIRE else self._patience.drain
