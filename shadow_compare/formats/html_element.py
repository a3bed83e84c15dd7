"""An element of a page: what it is, where it stands, and what it says about its cells."""

from __future__ import annotations

from typing import Final

from shadow_compare.formats.html_tokens import attributes_of

TEXT: Final = "text"
"""Role of text that is nothing in particular, and the last step of the path of any text."""
CELLS: Final = frozenset({"td", "th", "dt", "dd"})


class Element:
    """An element that is or was open.

    `run` is the element around it that its text belongs to, `cell` the table cell around it; None
    when that is itself, or there is none: a reference to itself would keep whole pages in memory.
    """

    __slots__ = ("above", "cell", "cells", "heads", "known", "role", "run", "tag", "written")

    def __init__(self, tag: str, written: str, above: Element | None, role: str) -> None:
        self.tag = tag
        self.written = written
        self.above = above
        self.role = role
        self.run: Element | None = None
        self.cell: Element | None = None
        if above is not None:
            self.cell = above if above.tag in CELLS else above.cell
        self.cells = 0  # of a row: so many yet; of a cell: its column
        self.heads: dict[int, str] | None = None  # of a table, row or list of terms
        self.known: dict[str, str] | None = None

    @property
    def attributes(self) -> dict[str, str]:
        """Its attributes, read when they are asked for."""
        if self.known is None:
            self.known = attributes_of(self.written)
        return self.known


Place = tuple[Element, str, bool]
"""An element, what of it (`text`, or an attribute), and whether a line begins with it."""


def field_name(element: Element) -> str:
    """Give the name by which a field is sent; a button without one is known by its type."""
    attributes = element.attributes
    return attributes.get("name") or attributes.get("type", "").lower() or element.tag


def subject_of(element: Element) -> str:
    """Give what a `meta` or `link` is about."""
    attributes = element.attributes
    for name in ("name", "property", "http-equiv", "rel", "itemprop"):
        if value := attributes.get(name):
            return value.lower()
    return "charset" if "charset" in attributes else ""


def note_heading(cell: Element, text: str) -> None:
    """Remember what a heading says: of its column, of its row, of the term's definition."""
    above = cell.above
    if cell.tag == "dt" and above is not None and above.heads is not None:
        above.heads[0] = text
    elif cell.tag == "th" and above is not None and above.heads is not None:
        above.heads.setdefault(0, text)
        table = table_of(cell)
        if table is not None and table.heads is not None:
            table.heads.setdefault(cell.cells, text)


def table_of(cell: Element) -> Element | None:
    """Give the table of a cell; only a few steps up, as markup may be nested without end."""
    above = cell.above
    for _ in range(3):
        if above is None or above.tag == "table":
            return above
        above = above.above
    return None
