"""A document as one JSON object, with times as RFC 3339."""

from __future__ import annotations

from typing import Any

import orjson

from shadow_compare.report.export.document import Document, instant
from shadow_compare.report.summary import SignatureDetail


def as_json(document: Document) -> str:
    """Write a document."""
    plain = {
        "title": document.title,
        "at": instant(document.at),
        "notes": list(document.notes),
        "coverage": [each.to_plain() for each in document.coverage],
        "differences": [detail_plain(each) for each in document.details],
        "left_out": document.left_out,
    }
    return orjson.dumps(plain, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def detail_plain(detail: SignatureDetail) -> dict[str, Any]:
    """Give a group with its samples as JSON-able values."""
    plain = detail.to_plain()
    for name in ("first_seen", "last_seen", "state_at"):
        plain[name] = None if plain[name] is None else instant(plain[name])
    plain["samples"] = [{**each, "at": instant(each["at"])} for each in plain["samples"]]
    return plain
