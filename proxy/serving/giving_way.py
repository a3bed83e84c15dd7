"""An upgrade as the old supervisor carries it out; the table is in `succession`."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import Iterator
from typing import Final

from proxy.errors import SettingsError
from proxy.serving.estate import Estate
from proxy.serving.family import OVERTIME, Family, how
from proxy.serving.inheritance import Word, spawn, version
from proxy.serving.succession import OLD, Old, OldAct, OldEvent

log = logging.getLogger(__name__)


class GivingWay:
    """One attempt to be replaced. Raises OSError when no successor can be started at all."""

    def __init__(
        self, family: Family, estate: Estate, seconds: float, drain_seconds: float
    ) -> None:
        self._family = family
        self._estate = estate
        self._seconds = seconds
        self._drain_seconds = drain_seconds
        self._number = _last_number(estate) + 1
        self._began = self._ending = time.monotonic()
        self._version: str | None = None
        self._why = ""
        self._dead = False
        self._successor: Final = spawn(estate.sockets, estate.generation + 1, os.environ)
        self.stage = Old.CHECKING
        log.info("upgrading to a new process, pid %d", self._successor.pid)
        self._record("running")

    @property
    def under_way(self) -> bool:
        """Whether it may come out either way."""
        return self.stage not in (Old.HANDED, Old.KEPT)

    def step(self) -> None:
        """Go on as far as possible."""
        for event in self._events():
            found = OLD.get((self.stage, event))
            if found is not None:
                self.stage, act = found
                self._do(act)

    def on_death(self, pid: int, status: int) -> None:
        """Learn that a process has ended."""
        if pid == self._successor.pid:
            self._dead = True
            self._why = (
                self._why or f"the new process ended {how(status)}; see its words in the log"
            )

    def give_up(self, why: str) -> None:
        """Let the successor go: this supervisor is to end as well."""
        log.warning("the upgrade under way is given up: %s", why)
        self._why, self.stage = why, Old.KEPT
        self._kill(signal.SIGTERM)
        self._record("failed", why)

    def close(self) -> None:
        """Let go of the channel."""
        self._successor.channel.close()

    def _events(self) -> Iterator[OldEvent]:
        while (heard := self._successor.channel.hear()) is not None:
            yield from self._understood(*heard)
        if self._dead:
            yield OldEvent.FAILED
        now = time.monotonic()
        if now - self._began > self._seconds:
            yield OldEvent.LATE
        if self.stage is Old.ENDING:
            if not any(child.pid for child in self._family.rest):
                yield OldEvent.ENDED
            elif now - self._ending > self._drain_seconds + OVERTIME:
                self._family.dismiss(self._family.rest, signal.SIGKILL)

    def _understood(self, word: Word, text: str) -> Iterator[OldEvent]:
        if word is Word.READY:
            self._version = text
            yield OldEvent.READY
        elif word is Word.DONE:
            yield OldEvent.DONE
        elif word is Word.FAILED:
            self._why = text
            yield OldEvent.FAILED

    def _do(self, act: OldAct) -> None:
        if act is OldAct.END_REST:
            self._ending = time.monotonic()
            self._family.dismiss(self._family.rest, signal.SIGTERM)
        elif act is OldAct.FREE_ROLES:
            if self._estate.claims is not None:
                self._estate.claims.release()
            self._successor.channel.say(Word.YOURS)
        elif act is OldAct.RETIRE:
            self._family.dismiss(self._family.first, signal.SIGUSR2)
            self._estate.notifier.succeeded_by(self._successor.pid)
            self._record("done")
            log.info("handed over to pid %d; what is being served is finished", self._successor.pid)
        elif act is OldAct.TAKE_BACK:
            self._take_back()

    def _take_back(self) -> None:
        """Go on as if nothing had been."""
        if not self._why:  # it is late, and what it may still do is not to be waited for
            self._why = f"it was not ready within {self._seconds:g} s"
            self._kill(signal.SIGKILL)
        claims = self._estate.claims
        if claims is not None and not claims.held:
            try:
                claims.claim()
            except SettingsError as error:
                log.error("going on without the roles' locks: %s", error)  # noqa: TRY400 - the text is the whole story
        self._family.want(self._family.rest)
        log.error("the upgrade has failed and this process goes on: %s", self._why)
        self._record("failed", self._why)
        self.close()

    def _kill(self, number: signal.Signals) -> None:
        if self._dead:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._successor.pid, number)
        if number is signal.SIGKILL:  # its locks are free when it is gone
            os.waitpid(self._successor.pid, 0)
            self._dead = True

    def _record(self, state: str, why: str = "") -> None:
        """Write down how it goes, for `cutover upgrade`."""
        if self._estate.papers is not None:
            self._estate.papers.record(
                {
                    "number": self._number,
                    "state": state,
                    "reason": why,
                    "old": {"pid": os.getpid(), "version": version()},
                    "new": {"pid": self._successor.pid, "version": self._version},
                    "seconds": round(time.monotonic() - self._began, 3),
                }
            )


def _last_number(estate: Estate) -> int:
    last = estate.papers.last() if estate.papers is not None else {}
    number = last.get("number")
    return number if isinstance(number, int) else 0
