"""What can differ between two answers: kinds are types, each at a path.

The old side is always legacy and the new one modern, whichever served the client, so that a
difference keeps its name when the share moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Final

from shadow_compare.json_value import Json
from shadow_compare.paths import STATUS, Path, wildcard_text


class Absent(Enum):
    """There is nothing on this side, which is not the same as null."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class _Difference:
    path: Path
    old: Json = ABSENT
    new: Json = ABSENT

    kind: ClassVar[str]

    @property
    def place(self) -> str:
        """The path with wildcards; for the status the two values, which say more than the place."""
        if self.path == STATUS:
            return f"status {self.old} -> {self.new}"
        return wildcard_text(self.path)


@dataclass(frozen=True, slots=True)
class Missing(_Difference):
    """Modern lacks what legacy has."""

    kind = "missing"


@dataclass(frozen=True, slots=True)
class Extra(_Difference):
    """Modern has what legacy lacks."""

    kind = "extra"


@dataclass(frozen=True, slots=True)
class TypeChanged(_Difference):
    """Both have it, as values of different types."""

    kind = "type_changed"


@dataclass(frozen=True, slots=True)
class ValueChanged(_Difference):
    """Both have it with the same type and another value."""

    kind = "value_changed"


@dataclass(frozen=True, slots=True)
class Reordered(_Difference):
    """Elements that both have stand in another order; the values are lists of their indexes."""

    kind = "reordered"


@dataclass(frozen=True, slots=True)
class LengthChanged(_Difference):
    """Arrays have another number of elements; the values are those numbers."""

    kind = "length_changed"


Difference = Missing | Extra | TypeChanged | ValueChanged | Reordered | LengthChanged
