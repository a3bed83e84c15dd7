"""How the two answers of a route are compared, as written; `shadow_compare` gives it meaning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

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


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """A path whose differences do not count, with the person who says so."""

    path: str
    reason: str
    owner: str = ""
    until: date | None = None


@dataclass(frozen=True, slots=True)
class CompareRules:
    """How two answers of this route are compared.

    `arrays` maps an array's path to the member that identifies an element.
    """

    critical: tuple[str, ...] = ()
    arrays: tuple[tuple[str, str], ...] = ()
    ignore: tuple[IgnoreRule, ...] = ()
    equivalences: tuple[str, ...] = ()
    zone: str = "UTC"
    redact: tuple[str, ...] = ()
