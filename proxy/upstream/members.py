"""The instances of one side as one worker knows them: who takes part, and who comes next.

Two witnesses can leave an instance out: the requests that failed on it (`ejection`) and its probes
(`health`). When none is left in, all take part again: an outage must never be the health check's.
"""

from __future__ import annotations

import copy
import logging
from collections import deque
from collections.abc import Callable
from math import inf
from typing import Final

from proxy.routing.upstream_rules import UpstreamRules
from proxy.upstream import balance
from proxy.upstream.connection import UpstreamConnection
from proxy.upstream.ejection import Ejection, Standing, max_ejected
from proxy.upstream.health import Probed
from proxy.upstream.instance import Instance

Note = Callable[[str, str], None]
"""Counts an event by its name and label, see `proxy.observe.metrics.EVENTS`."""

log = logging.getLogger(__name__)


class Member:
    """One instance and its connections: `idle`, oldest first, `leased`, and how many being made.

    It takes part since `since`, in monotonic seconds; since ever if nothing is known.
    """

    __slots__ = ("connecting", "ejection", "idle", "instance", "leased", "probed", "since")

    def __init__(self, instance: Instance, since: float = -inf) -> None:
        self.instance: Final = instance
        self.idle: Final[deque[UpstreamConnection]] = deque()
        self.leased: Final[set[UpstreamConnection]] = set()
        self.connecting = 0
        self.since = since
        self.ejection = Ejection()
        self.probed = Probed()

    @property
    def load(self) -> int:
        """Requests in flight, and those that are about to be."""
        return len(self.leased) + self.connecting

    @property
    def admitted(self) -> bool:
        """Whether it takes part."""
        return self.ejection.standing is not Standing.EJECTED and self.probed.is_up

    def inherit(self, before: Member) -> None:
        """Take over what was known of the same instance under the rules before these."""
        self.since = before.since
        self.ejection = copy.copy(before.ejection)
        self.probed = copy.copy(before.probed)


class Members:
    """All instances of one side, at least one. Times are monotonic seconds."""

    def __init__(
        self, rules: UpstreamRules, note: Note, before: Members | None = None, now: float = -inf
    ) -> None:
        self._rules: Final = rules
        self._note: Final = note
        self.all: Final = tuple(Member(Instance.parse(url), now) for url in rules.instances)
        if before is not None:
            known = {member.instance: member for member in before.all}
            for member in self.all:
                if (old := known.get(member.instance)) is not None:
                    member.inherit(old)
        self._admitted: list[Member] = []
        self._some_out = False
        self._due = inf
        self._sort()

    def pick(self, chance: float, now: float) -> Member:
        """Choose who gets the next connection; `chance` is drawn evenly from [0, 1)."""
        if now >= self._due:
            self.pass_time(now)
        candidates = self._admitted
        if not candidates:
            self._note("panic_leases", self._rules.side)
            return balance.pick(self.all, chance, now, 0.0)
        return balance.pick(candidates, chance, now, self._rules.slow_start)

    def others(self, first: Member) -> list[Member]:
        """Give whom to try when one cannot be reached: the least loaded, and who is out at last."""
        rest = [member for member in self.all if member is not first]
        return sorted(rest, key=lambda member: (not member.admitted, member.load))

    def is_out(self, member: Member) -> bool:
        """Whether an instance is to get no more requests; nobody is while all are."""
        return self._some_out and not member.admitted

    def report(self, member: Member, now: float, *, bad: bool) -> bool:
        """Take in how an attempt ended; says whether it ejects the instance."""
        if not bad:
            member.ejection.succeed()
            return False
        rules = self._rules.ejection
        out = len(self.all) - len(self._admitted)
        room = out < max_ejected(len(self.all), rules.max_ejected)
        if not member.ejection.fail(now, rules, room=room):
            return False
        self._note("ejections", str(member.instance))
        log.warning(
            "%s: instance %s is ejected for %.0f s: its last requests failed",
            self._rules.side,
            member.instance,
            member.ejection.until - now,
        )
        self._sort()
        return True

    def note_probe(self, member: Member, now: float, *, good: bool, said: str) -> bool:
        """Take in a probe's answer, with what it `said`; True when it takes the instance out."""
        rules = self._rules.probe
        if not good:
            self._note("probes_failed", str(member.instance))
        if rules is None or not member.probed.take(rules, good=good):
            return False
        log.warning(
            "%s: instance %s is %s by its probes: %s",
            self._rules.side,
            member.instance,
            member.probed.health,
            said,
        )
        member.since = now
        self._sort()
        return not good

    def pass_time(self, now: float) -> None:
        """Readmit who has been out for long enough."""
        for member in self.all:
            if member.ejection.pass_time(now, self._rules.ejection):
                member.since = now
                log.info("%s: instance %s is readmitted", self._rules.side, member.instance)
        self._sort()

    def _sort(self) -> None:
        self._admitted = [member for member in self.all if member.admitted]
        self._some_out = 0 < len(self._admitted) < len(self.all)
        self._due = min(
            (
                member.ejection.until
                for member in self.all
                if member.ejection.standing is not Standing.ADMITTED
            ),
            default=inf,
        )
