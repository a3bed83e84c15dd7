"""What a walk has taken down so far: differences, those ruled out, and which rules fired."""

from __future__ import annotations

from typing import Final

from shadow_compare.difference import Difference
from shadow_compare.rules import IgnoreRule

KEPT_MAX: Final = 100
"""Differences kept with their values; further ones only count for the signature."""

Mark = tuple[dict[str, int], int]


class Findings:
    """Grows while two answers are compared; of each place the first difference is kept longest."""

    __slots__ = ("_repeats", "critical", "differences", "fired", "ignored", "places")

    def __init__(self) -> None:
        self.differences: list[Difference] = []
        self.ignored: list[Difference] = []
        self.places: dict[tuple[str, str], None] = {}
        self.fired: dict[str, int] = {}
        self.critical = False
        self._repeats: list[int] = []

    def fire(self, rule: str) -> None:
        """Count that a rule was needed."""
        self.fired[rule] = self.fired.get(rule, 0) + 1

    def ignore(self, difference: Difference, rule: IgnoreRule) -> None:
        """Take down a difference that is ruled out."""
        self.fire(rule.name)
        if len(self.ignored) < KEPT_MAX:
            self.ignored.append(difference)

    def add(self, difference: Difference, *, critical: bool) -> None:
        """Take down a difference that counts."""
        self.critical = self.critical or critical
        place = (difference.kind, difference.place)
        is_repeat = place in self.places
        self.places[place] = None
        if len(self.differences) < KEPT_MAX:
            if is_repeat:
                self._repeats.append(len(self.differences))
            self.differences.append(difference)
        elif not is_repeat and self._repeats:
            del self.differences[self._repeats.pop()]  # the last: indexes before it stay right
            self.differences.append(difference)

    def mark(self) -> Mark:
        """Give what `forget` needs to come back to this point, before a trial."""
        return dict(self.fired), len(self.ignored)

    def forget(self, mark: Mark) -> None:
        """Undo what a failed trial has taken down."""
        self.fired, ignored = mark
        del self.ignored[ignored:]
