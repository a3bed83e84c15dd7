"""When an instance is left out, and for how long: by what requests saw of it.

- FAILURES: as many in a row as the rules allow;
- FAILURE: a single one, which is enough for an instance that has just come back;
- TIME: what it had to wait is over.

An instance is EJECTED for a time that doubles with each ejection that follows another. Then it is
on TRIAL, taking part, for as long as it was away; only after that is it ADMITTED as if nothing had
been. Nothing else is known of an instance that gets no requests, so the state needs no probes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from proxy.routing.upstream_rules import EjectionRules


class Standing(StrEnum):
    """Whether an instance takes part."""

    ADMITTED = "ADMITTED"
    EJECTED = "EJECTED"
    TRIAL = "TRIAL"


class Cause(StrEnum):
    """By what it changes."""

    FAILURES = "failures"
    FAILURE = "failure"
    TIME = "time"


TRANSITIONS: Mapping[Standing, Mapping[Cause, Standing]] = {
    Standing.ADMITTED: {Cause.FAILURES: Standing.EJECTED},
    Standing.EJECTED: {Cause.TIME: Standing.TRIAL},
    Standing.TRIAL: {Cause.FAILURE: Standing.EJECTED, Cause.TIME: Standing.ADMITTED},
}


def table_text() -> str:
    """Print the table, one line for each move, for the documentation."""
    return "\n".join(
        f"{standing:<8} {cause:<8} -> {after}"
        for standing, causes in TRANSITIONS.items()
        for cause, after in causes.items()
    )


def max_ejected(instances: int, share: float) -> int:
    """Give how many of so many instances may be left out; the only one never is."""
    if instances < 2 or share <= 0.0:
        return 0
    return max(1, int(instances * share))


class Ejection:
    """What one worker's requests have seen of one instance. `until` is monotonic seconds."""

    __slots__ = ("_failures", "_times", "standing", "until")

    def __init__(self) -> None:
        self.standing = Standing.ADMITTED
        self.until = 0.0
        self._failures = 0
        self._times = 0

    def succeed(self) -> None:
        """Count an exchange that ended well: the failures before it were not in a row."""
        self._failures = 0

    def fail(self, now: float, rules: EjectionRules, *, room: bool) -> bool:
        """Count a failure; says whether it ejects. Without `room` too many others are out.

        What comes from exchanges that began before the ejection tells nothing new.
        """
        if self.standing is Standing.EJECTED:
            return False
        self._failures += 1
        cause = Cause.FAILURE if self.standing is Standing.TRIAL else Cause.FAILURES
        if not room or (cause is Cause.FAILURES and self._failures < rules.failures):
            return False
        self._times += 1
        self._move(cause)
        self.until = now + self._term(rules)
        return True

    def pass_time(self, now: float, rules: EjectionRules) -> bool:
        """Move on when what it waits for is over; says whether it takes part again only now."""
        if self.standing is Standing.ADMITTED or now < self.until:
            return False
        was = self.standing
        self._move(Cause.TIME)
        if was is Standing.TRIAL:
            self._times = 0
            return False
        self.until = now + self._term(rules)
        return True

    def _term(self, rules: EjectionRules) -> float:
        """Give the length of this ejection, and of the trial after it, in seconds."""
        doublings = min(self._times - 1, 30)  # 2 ** 30 of anything is beyond every maximum
        return min(rules.duration * 2.0**doublings, rules.max_duration)

    def _move(self, cause: Cause) -> None:
        self.standing = TRANSITIONS[self.standing][cause]
        self._failures = 0
