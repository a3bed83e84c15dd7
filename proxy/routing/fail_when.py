"""What a route calls a failure besides 5xx: a status, or a value in the JSON of a good answer.

Old applications answer 200 and say in the body that they have failed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

JsonStep = str | int | None
"""The name of a member, the index of an element, or None for every element."""

_STEP: Final = re.compile(r"\.([A-Za-z_][A-Za-z0-9_\-]*)|\[(\d{1,6})\]|\[(\*)\]")


@dataclass(frozen=True, slots=True)
class BodyCondition:
    """A place in an answer's JSON. It fails when the value there `equals` this one.

    With `is_there` instead, when there is any value other than null.
    """

    path: str
    steps: tuple[JsonStep, ...]
    equals: str | int | float | bool | None = None
    is_there: bool = True

    def holds(self, document: object) -> bool:
        """Whether a document fails by this condition."""
        return any(self._is_met(value) for value in _values(document, self.steps))

    def _is_met(self, value: object) -> bool:
        if self.is_there:
            return value is not None
        # In Python True is 1; in JSON it is not.
        return isinstance(value, bool) == isinstance(self.equals, bool) and value == self.equals


@dataclass(frozen=True, slots=True)
class FailRules:
    """Any one of these is a failure of the upstream."""

    statuses: tuple[int, ...] = ()
    bodies: tuple[BodyCondition, ...] = ()

    def by_body(self, document: object) -> bool:
        """Whether a parsed body says that the answer is a failure."""
        return any(condition.holds(document) for condition in self.bodies)


def parse_path(text: str) -> tuple[JsonStep, ...]:
    """Read `$.data[*].error`; raises ValueError."""
    if not text.startswith("$"):
        raise ValueError("begins with `$`, the whole body")
    steps: list[JsonStep] = []
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise ValueError(f"cannot be read from `{text[at:]}` on")
        name, index, _every = found.groups()
        steps.append(name if name is not None else int(index) if index is not None else None)
        at = found.end()
    return tuple(steps)


def _values(document: object, steps: tuple[JsonStep, ...]) -> list[object]:
    """Give every value at these steps."""
    values = [document]
    for step in steps:
        following: list[object] = []
        for value in values:
            if isinstance(value, dict) and isinstance(step, str):
                if step in value:
                    following.append(value[step])
            elif isinstance(value, list) and not isinstance(step, str):
                following += value if step is None else value[step : step + 1]
        values = following
    return values
