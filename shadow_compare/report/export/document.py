"""What is exported: coverage first, then groups of differences with their samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shadow_compare.report.coverage import Coverage
from shadow_compare.report.summary import SignatureDetail


@dataclass(frozen=True, slots=True)
class Document:
    """A report at a point in time (Unix seconds).

    `left_out` counts groups that there are besides, `notes` are sentences above everything else.
    """

    title: str
    at: float
    coverage: Sequence[Coverage]
    details: Sequence[SignatureDetail]
    left_out: int = 0
    notes: Sequence[str] = ()


def instant(at: float) -> str:
    """Write a point in time to the second, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
