"""The parent of all processes: starts them, restarts a dead one with back-off, stops them in order.

It forks before any thread or event loop exists, holds the listening sockets so that a worker's
death refuses no connection, and does little else: there is little in it that could fail. When the
program is to be replaced it starts its own successor and gives way to it (see `succession`).
"""

from __future__ import annotations

import logging
import os
import signal
from typing import Final

from proxy.errors import SettingsError
from proxy.garbage import settle
from proxy.serving.child import Child
from proxy.serving.drain import Patience
from proxy.serving.estate import Estate
from proxy.serving.family import ENDING, OVERTIME, Family
from proxy.serving.giving_way import GivingWay
from proxy.serving.inheritance import Inheritance
from proxy.serving.succession import New, Old
from proxy.serving.taking_over import TakingOver

UPGRADE_SECONDS: Final = 120.0
"""Within them a successor must have become the service, or it is given up."""

POLL: Final = 0.02
"""Seconds between looks while something is under way of which no signal tells."""

_HEARD: Final = ENDING | {signal.SIGCHLD, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2}

log = logging.getLogger(__name__)


class Supervisor:
    """Keeps children alive until a signal, or a successor, says stop."""

    def __init__(
        self,
        children: list[Child],
        patience: Patience,
        estate: Estate | None = None,
        inherited: Inheritance | None = None,
        upgrade_seconds: float = UPGRADE_SECONDS,
    ) -> None:
        self._estate = estate = estate or Estate()
        sockets = [sock for of in estate.sockets.values() for sock in of]
        self._family = Family(children, sockets, self._close_in_child, self._on_stranger)
        self._patience = patience
        self._upgrade_seconds = upgrade_seconds
        self._giving_way: GivingWay | None = None
        self._taking_over: TakingOver | None = None
        if inherited is not None:
            self._taking_over = TakingOver(self._family, estate, inherited, patience)
        self._announced = False

    def run(self) -> int:
        """Run until the end; gives the exit status: 0, or 1 after a retreat."""
        # Handlers that are never run: SIGCHLD must have one to be delivered to sigtimedwait at all,
        # and whoever looks from outside (`claims.expects`) sees that the others are waited for:
        # while sigtimedwait waits, the kernel does not show them as blocked.
        for number in (signal.SIGCHLD, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
        if self._taking_over is None and self._estate.papers is not None:
            self._estate.papers.write_pid()
        settle()
        self._family.start_due()
        while self._is_service or self._family.alive:
            heard = signal.sigtimedwait(_HEARD, self._until_next())
            if heard is not None and heard.si_signo in ENDING:
                self._stop()
                break
            if heard is not None:
                self._hear(heard.si_signo)
            self._family.reap()
            self._family.start_due()
            self._family.watch()
            self._announce()
            self._step()
        if self._estate.papers is not None:
            self._estate.papers.remove_pid()
        return 1 if self._taking_over and self._taking_over.stage is New.GONE else 0

    @property
    def _is_service(self) -> bool:
        """Whether the service is ours, or may still be."""
        handed = self._giving_way is not None and self._giving_way.stage is Old.HANDED
        gone = self._taking_over is not None and self._taking_over.stage is New.GONE
        return not handed and not gone

    @property
    def _is_upgrading(self) -> bool:
        giving, taking = self._giving_way, self._taking_over
        return (giving is not None and giving.under_way) or (
            taking is not None and taking.under_way
        )

    def _until_next(self) -> float:
        waiting = self._is_upgrading or not self._announced
        return min(self._family.until_next(), POLL if waiting else float("inf"))

    def _announce(self) -> None:
        """Say once that everything is up, to a service manager that waits for it."""
        if self._announced or self._is_upgrading or not self._is_service:
            return
        if self._family.settled:
            self._announced = True
            self._estate.notifier.ready(f"serving, pid {os.getpid()}")

    def _step(self) -> None:
        if self._giving_way is not None and self._giving_way.under_way:
            self._giving_way.step()
        if self._taking_over is not None and self._taking_over.under_way:
            self._taking_over.step()

    # Signals

    def _hear(self, number: int) -> None:
        if number == signal.SIGHUP:
            self._reload()
        elif number == signal.SIGUSR1:
            self._kill()
        elif number == signal.SIGUSR2:
            self._upgrade()

    def _reload(self) -> None:
        """Have everybody read anew what is read once."""
        self._estate.notifier.reloading()
        for child in self._family.children:
            child.tell(signal.SIGHUP)
        self._estate.notifier.ready(f"serving, pid {os.getpid()}")

    def _kill(self) -> None:
        try:
            self._estate.kill()
        except SettingsError as error:
            log.error("SIGUSR1: the kill switch cannot be turned on: %s", error)  # noqa: TRY400 - the text is the whole story
        else:
            log.warning("SIGUSR1: the kill switch is on; everything goes to legacy")

    def _upgrade(self) -> None:
        if self._is_upgrading or not self._is_service:
            log.warning("SIGUSR2: an upgrade is under way already")
            return
        drain = self._patience.drain
        try:
            self._giving_way = GivingWay(self._family, self._estate, self._upgrade_seconds, drain)
        except OSError as error:
            log.error("SIGUSR2: no new process can be started: %s", error)  # noqa: TRY400 - the text is the whole story

    def _stop(self) -> None:
        """End the data plane, which drains and still has something to tell, then the rest."""
        if self._taking_over is not None and self._taking_over.under_way:
            self._taking_over.retreat("it was told to stop")
            return
        if self._giving_way is not None and self._giving_way.under_way:
            self._giving_way.give_up("the old process was told to stop")
        if self._is_service:
            self._estate.notifier.stopping()
        rest = self._patience.drain + OVERTIME
        first = self._patience.grace + rest
        self._family.end(self._family.first, signal.SIGTERM, first, first)
        self._family.end(self._family.rest, signal.SIGTERM, rest, rest)

    # What the family needs

    def _close_in_child(self) -> None:
        """Let go of what is said between supervisors, in a child."""
        if self._giving_way is not None:
            self._giving_way.close()
        if self._taking_over is not None:
            self._taking_over.close()

    def _on_stranger(self, pid: int, status: int) -> None:
        if self._giving_way is not None:
            self._giving_way.on_death(pid, status)
