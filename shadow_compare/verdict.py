"""What a comparison comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from shadow_compare.difference import Difference

READ_BACK: Final = "read_back"
"""What stands before the kind of a difference that was found when a write was read back."""


class Verdict(StrEnum):
    """How a comparison ended."""

    MATCH = "match"
    IGNORED = "ignored"  # only differences that are ruled out, or that healed when repeated
    MISMATCH = "mismatch"
    NOT_COMPARED = "not_compared"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A verdict with its grounds.

    `reason` says why not compared, or why ignored (rules, race). `places` are kind and wildcard
    path of every difference that counts, each once; `differences` and `ignored` hold the first of
    them. `fired` counts equivalences by name and ignore rules as `ignore:PATH`.
    """

    verdict: Verdict
    reason: str = ""
    differences: tuple[Difference, ...] = ()
    ignored: tuple[Difference, ...] = ()
    places: tuple[tuple[str, str], ...] = ()
    fired: tuple[tuple[str, int], ...] = ()
    critical: bool = False

    @classmethod
    def not_compared(cls, reason: str) -> Comparison:
        """Say that nothing was compared, and why."""
        return cls(Verdict.NOT_COMPARED, reason)

    def asked_by(self, rules: Iterable[str]) -> Comparison:
        """Count the rules, too, that were needed to ask for the candidate."""
        fired = Counter(dict(self.fired))
        fired.update(rules)
        return replace(self, fired=tuple(sorted(fired.items())))

    def at_read_back(self) -> Comparison:
        """Say that this was found when a write was read back: it makes signatures of its own."""
        return replace(
            self, places=tuple((f"{READ_BACK} {kind}", path) for kind, path in self.places)
        )

    def as_race(self) -> Comparison:
        """Call it a difference that was gone when both sides were asked again."""
        return replace(self, verdict=Verdict.IGNORED, reason="race", critical=False)
