"""A document as a shell script that asks once more what differed."""

from __future__ import annotations

from shadow_compare.report.export.document import Document, instant


def as_curl(document: Document) -> str:
    """Write a document: one command for each sample, under a comment that says what differed."""
    lines = ["#!/bin/sh", f"# {_comment(document.title)}", "# [redacted …] has to be filled in."]
    for detail in document.details:
        found = detail.summary
        lines += ["", f"# {found.id} on {found.route}: {_comment(', '.join(found.paths))}"]
        for sample in detail.samples:
            lines += [f"# {instant(sample.at)}, served by {sample.primary_side}", sample.curl]
    return "\n".join([*lines, ""])


def _comment(text: str) -> str:
    """Keep a text on its line, or the rest of it would be a command."""
    return " ".join(text.split())
