"""When not to try an instance again: where nobody listens, asking for a connection is all cost."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

IN_A_ROW: Final = 20
"""Refused connections, none made between them, after which only one in a while is tried. So many
are evidence enough for whoever judges modern by them."""

PAUSE: Final = 0.1
"""Seconds between tries then. A refused connection costs a shadow worker more than a comparison;
an instance that is back is noticed so much later at most."""


class _Row:
    __slots__ = ("next_try", "number")

    def __init__(self) -> None:
        self.number = 0
        self.next_try = 0.0


class Refusals:
    """Remembers, by instance, how many connections in a row could not be made.

    Times are seconds of a monotonic clock.
    """

    def __init__(self) -> None:
        self._rows: dict[Hashable, _Row] = {}

    def spares(self, instance: Hashable, now: float) -> bool:
        """Whether no connection is to be asked for now."""
        row = self._rows.get(instance)
        return row is not None and row.number >= IN_A_ROW and now < row.next_try

    def may_try(self, instance: Hashable, now: float) -> bool:
        """Whether to ask for a connection now; who may is the only one for a pause.

        So it needs nobody to say how a try ended that was given up.
        """
        if self.spares(instance, now):
            return False
        row = self._rows.get(instance)
        if row is not None:
            row.next_try = now + PAUSE
        return True

    def refused(self, instance: Hashable, now: float) -> None:
        """Say that no connection could be made."""
        row = self._rows.setdefault(instance, _Row())
        row.number += 1
        row.next_try = now + PAUSE

    def connected(self, instance: Hashable) -> None:
        """Say that one was made: from now on all are tried again."""
        self._rows.pop(instance, None)
