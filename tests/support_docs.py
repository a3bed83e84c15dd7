"""Reading our own documentation: the tables, fenced blocks and links of Markdown files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_CELL = re.compile(r"(?<!\\)\|")


def read(name: str) -> str:
    """Read a file below docs/."""
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Give the fenced blocks of one language."""
    return [body for name, body in _FENCE.findall(text) if name == language]


def rows(text: str) -> Iterator[dict[str, str]]:
    """Give every row of every table, by the table's own column names."""
    header: list[str] = []
    for line in _FENCE.sub("", text).splitlines():
        if not line.startswith("|"):
            header = []
            continue
        cells = [cell.strip() for cell in _CELL.split(line)[1:-1]]
        if not header:
            header = cells
        elif not set("".join(cells)) <= set("-: "):
            yield dict(zip(header, cells, strict=True))


def code(cell: str) -> str | None:
    """Give what a cell that is nothing but code says, or None."""
    found = _CODE.fullmatch(cell)
    return found[1] if found else None


def codes(text: str) -> list[str]:
    """Give all inline code, without what stands in fenced blocks."""
    return _CODE.findall(_FENCE.sub("", text))
