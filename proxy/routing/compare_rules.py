"""How the two answers of a route are compared, as written; `shadow_compare` gives it meaning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

EQUIVALENCES = (
    "number_as_string",
    "trailing_zero",
    "int_bool",
    "empty_map_list",
    "null_empty",
    "php_datetime",
    "zero_date",
    "escaping",
    "float_precision",
    "header_case",
    "php_notice",
)
"""Names a route may declare under `compare.equivalences`."""

NOISE = 0.01
"""Share of the comparisons for which the primary's side is asked twice, to see how it varies."""


IN_PATH = "path."
"""What the place of a name in the path begins with."""

ENDING = timedelta(days=14)
"""How long before its end a rule is called to mind."""


class Standing(StrEnum):
    """Where a rule with an end stands on a day; what needs a person first."""

    ENDED = "ended"
    ENDING = "ending"
    IN_FORCE = "in_force"


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """A path whose differences do not count, with the person who says so."""

    path: str
    reason: str
    owner: str = ""
    until: date | None = None

    def standing(self, today: date) -> Standing:
        """Whether it is in force on this day, its last one included."""
        if self.until is None or self.until > today + ENDING:
            return Standing.IN_FORCE
        return Standing.ENDED if self.until < today else Standing.ENDING


@dataclass(frozen=True, slots=True)
class EquivalenceRule:
    """An equivalence, where it holds (everywhere without paths), and within how many units."""

    name: str
    at: tuple[str, ...] = ()
    units: int | None = None


@dataclass(frozen=True, slots=True)
class ToleranceRule:
    """How far apart two values at a path may be; of several bounds one is enough.

    `within` is a decimal, as text; `relative` a fraction; `units` are units in the last place of
    a double; `time` is seconds.
    """

    path: str
    within: str | None = None
    relative: float | None = None
    units: int | None = None
    time: float | None = None


@dataclass(frozen=True, slots=True)
class CorrespondRule:
    """A path where each side has names of its own for one thing; `name` is what the thing is."""

    path: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class TranslateRule:
    """A place in a request that names a thing, as each side has a name of its own for it.

    `at` is `path.NAME`, `query.NAME`, `form.NAME` or a path into a JSON body. With `as_is`, a name
    that is not known is sent as it is; without, such a request is not compared.
    """

    at: str
    name: str = ""
    as_is: bool = False

    @property
    def parameter(self) -> str:
        """Name of the segment `{name}` of the path that this is, or empty."""
        return self.at.removeprefix(IN_PATH) if self.at.startswith(IN_PATH) else ""


@dataclass(frozen=True, slots=True)
class CompareRules:
    """How two answers of this route are compared.

    `arrays` maps an array's path to the member that identifies an element. `noise` is a fraction.
    `repeat` says whether both sides are asked again when they differ.
    """

    critical: tuple[str, ...] = ()
    arrays: tuple[tuple[str, str], ...] = ()
    ignore: tuple[IgnoreRule, ...] = ()
    equivalences: tuple[EquivalenceRule, ...] = ()
    tolerances: tuple[ToleranceRule, ...] = ()
    correspond: tuple[CorrespondRule, ...] = ()
    translate: tuple[TranslateRule, ...] = ()
    zone: str = "UTC"
    redact: tuple[str, ...] = ()
    noise: float = NOISE
    repeat: bool = True
