"""A document as a table: one line for each group of differences (RFC 4180)."""

from __future__ import annotations

import csv
import io
from typing import Final

from shadow_compare.report.export.document import Document, instant

COLUMNS: Final = (
    "signature", "route", "state", "critical", "count", "compared", "rate", "rate_low", "rate_high",
    "kinds", "paths", "example_path", "legacy", "modern", "first_seen", "last_seen",
    "first_version", "last_version", "reopened", "state_author", "state_reason",
)  # fmt: skip

_FORMULA: Final = tuple(
    "=+-@\t\r\n\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}"
    "\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)


def as_csv(document: Document) -> str:
    """Write a document; the samples are not in it."""
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for detail in document.details:
        found = detail.summary
        plain = {
            **found.to_plain(),
            "signature": found.id,
            "kinds": " ".join(found.kinds),
            "paths": " ".join(found.paths),
            "legacy": found.example_old,
            "modern": found.example_new,
            "first_seen": instant(found.first_seen),
            "last_seen": instant(found.last_seen),
        }
        rows.writerow([_cell(plain[column]) for column in COLUMNS])
    return out.getvalue()


def _cell(value: object) -> str:
    """Write a cell. A text that a spreadsheet would carry out as a formula gets an apostrophe."""
    if value is None:
        return ""
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
