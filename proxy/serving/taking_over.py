"""An upgrade as the new supervisor carries it out; the table is in `succession`."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator

from proxy.errors import SettingsError
from proxy.serving.drain import Patience
from proxy.serving.estate import Estate
from proxy.serving.family import OVERTIME, Family
from proxy.serving.inheritance import Inheritance, Word, version
from proxy.serving.succession import NEW, New, NewAct, NewEvent

log = logging.getLogger(__name__)


class TakingOver:
    """One attempt to become the service; until then only the data plane is started."""

    def __init__(
        self, family: Family, estate: Estate, inherited: Inheritance, patience: Patience
    ) -> None:
        self._family = family
        self._estate = estate
        self._inherited = inherited
        self._patience = patience
        self.stage = New.WARMING
        for child in family.rest:
            child.wanted = False

    @property
    def under_way(self) -> bool:
        """Whether it may come out either way."""
        return self.stage not in (New.OWNING, New.GONE)

    def step(self) -> None:
        """Go on as far as possible."""
        for event in self._events():
            found = NEW.get((self.stage, event))
            if found is not None:
                self.stage, act = found
                self._do(act)

    def retreat(self, why: str) -> None:
        """Leave everything to the predecessor, which still serves from the same sockets."""
        log.error("this process gives up and leaves the service to the one before it: %s", why)
        hurry = self._patience.drain + OVERTIME
        self.stage = New.GONE
        self._family.end(self._family.rest, signal.SIGTERM, hurry, hurry)
        if self._estate.claims is not None:
            self._estate.claims.release()
        self._inherited.channel.say(Word.FAILED, why)
        self._family.end(self._family.first, signal.SIGUSR2, hurry, hurry)

    def close(self) -> None:
        """Let go of the channel."""
        self._inherited.channel.close()

    def _events(self) -> Iterator[NewEvent]:
        if self._inherited.orphaned:
            yield NewEvent.ORPHANED
        heard = self._inherited.channel.hear()
        if heard is not None and heard[0] is Word.YOURS:
            yield NewEvent.YOURS
        if any(child.failures for child in self._family.children):
            yield NewEvent.FAILED
        if self.stage is New.WARMING and self._family.settled:
            yield NewEvent.SERVING
        if self.stage is New.STARTING and self._family.settled:
            yield NewEvent.COMPLETE

    def _do(self, act: NewAct) -> None:
        if act is NewAct.SAY_READY:
            self._inherited.channel.say(Word.READY, version())
        elif act is NewAct.TAKE_OVER:
            self._take_over()
        elif act is NewAct.OWN:
            if self._estate.papers is not None:
                self._estate.papers.write_pid()
            self._inherited.channel.say(Word.DONE)
            log.info("took over from pid %d", self._inherited.predecessor)
        elif act is NewAct.RETREAT:
            ended = [child.name for child in self._family.children if child.failures]
            self.retreat(f"{', '.join(ended)} ended while starting; see its words in the log")

    def _take_over(self) -> None:
        try:
            if self._estate.claims is not None:
                self._estate.claims.claim()
        except SettingsError as error:
            self.retreat(str(error))
        else:
            self._family.want(self._family.rest)
