"""Differences as files: one self-contained page, a table, commands, tests, JSON (pure).

A document is what is exported; `FORMATS` are the ways to write one. Everything in it was redacted
before it was stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from shadow_compare.report.export.cases import as_pytest
from shadow_compare.report.export.commands import as_curl
from shadow_compare.report.export.document import Document
from shadow_compare.report.export.page import as_html
from shadow_compare.report.export.table import as_csv
from shadow_compare.report.export.values import as_json

__all__ = ["FORMATS", "Document", "Format"]


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write a document, its media type, and how its files end."""

    media_type: str
    suffix: str
    write: Callable[[Document], str]


FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "html": Format("text/html; charset=utf-8", ".html", as_html),
        "json": Format("application/json", ".json", as_json),
        "csv": Format("text/csv; charset=utf-8", ".csv", as_csv),
        "curl": Format("text/x-shellscript; charset=utf-8", ".sh", as_curl),
        "pytest": Format("text/x-python; charset=utf-8", ".py", as_pytest),
    }
)
