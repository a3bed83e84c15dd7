"""A page as the pieces that a reader meets: texts, targets of links, fields of forms, in order.

Elements are kept on a stack; no tree is built. What browsers do to misplaced elements is not
imitated: it only moves them, takes memory without limit for a few hostile bytes, and both sides
are read alike.
"""

from __future__ import annotations

import re
from typing import Final

from shadow_compare.formats.html_element import (
    CELLS,
    TEXT,
    Element,
    field_name,
    note_heading,
    subject_of,
)
from shadow_compare.formats.html_tokens import SPACE, tokens
from shadow_compare.formats.html_vocabulary import (
    BOOLEAN,
    DEFAULTS,
    FIELDS,
    KINDS,
    OTHER,
    UNREAD,
    VERBATIM,
    Kind,
)
from shadow_compare.formats.pieces import Pieces

STATE: Final = "state"
"""Slot of JSON in a script element that is no script."""

_LINE_BREAK = "\v"
"""Stands for a `br` until white space has been collapsed: no white space in HTML, and no text."""
_BREAKS = re.compile(r" ?\v ?")
_SPACES = re.compile(r"[ \t\n\f\r]+")
_KEYED = re.compile(r"(?:^|[ \t\n\f\r/])(?:id|class)[ \t\n\f\r]*=", re.IGNORECASE)
_NAMED = FIELDS | {"form"}
"""Elements that are something even without an attribute."""
_TABULAR = CELLS | {"table", "tr", "dl"}
_SCRIPTS = frozenset({"", "text/javascript", "application/javascript", "module"})


def read_page(page: str) -> Pieces:
    """Give the pieces of a page; takes time and memory in proportion to its length."""
    return _Reader().read(page)


class _Reader:
    def __init__(self) -> None:
        self._pieces = Pieces()
        self._top = Element("html", "", None, TEXT)
        self._open: dict[str, int] = {}
        self._text: list[str] = []
        self._line = True  # whether what comes next begins a line

    def read(self, page: str) -> Pieces:
        texts, is_open = self._text, self._open
        for text, start, written, end in tokens(page):
            if text and (texts or not text.isspace()):
                texts.append(text)
            if start:
                self._start(start, written)
            elif end and is_open.get(end):
                self._end(end)
        self._flush()
        return self._pieces

    def _start(self, tag: str, written: str) -> None:
        if tag == "br":
            self._text.append(_LINE_BREAK)
            return
        kind = KINDS.get(tag, OTHER)
        flows_on = kind.is_inline and not (written and _KEYED.search(written))
        if not flows_on:
            self._break(kind)
        if tag == "html":  # its attributes belong to the one that is always there
            self._top.written = self._top.written or written
            self._attributes(self._top, kind)
            return
        if kind.ended:
            self._end_left_out(kind)
        above = self._top
        element = Element(tag, written, above, kind.role or above.role)
        if flows_on:
            element.run = above.run or above
        elif written or tag in _NAMED:
            self._attributes(element, kind)
        if not kind.is_void:
            self._open[tag] = self._open.get(tag, 0) + 1
            self._top = element
            if tag in _TABULAR:
                self._place_cell(element)

    def _end_left_out(self, kind: Kind) -> None:
        while self._top.tag in kind.ended:
            self._pop()

    def _place_cell(self, element: Element) -> None:
        """Count columns, and remember where headings of rows and columns are to be noted."""
        tag, above = element.tag, element.above
        if tag in ("td", "th") and above is not None:
            element.cells = above.cells
            above.cells += 1
        elif tag in ("dt", "dd"):
            element.heads = dict(above.heads) if above is not None and above.heads else None
        elif tag in ("table", "tr", "dl"):
            element.cell = None
            element.heads = {}

    def _end(self, tag: str) -> None:
        while True:
            popped = self._top
            if popped.run is None:
                self._break(KINDS.get(popped.tag, OTHER))
            self._pop()
            if popped.tag == tag:
                return

    def _pop(self) -> None:
        popped = self._top
        self._open[popped.tag] -= 1
        if popped.above is not None:
            self._top = popped.above

    def _break(self, kind: Kind) -> None:
        """End the text so far; unless the element stands within a line, end the line, too."""
        if self._text:
            self._flush()
        if not kind.flows:
            self._line = True

    def _flush(self) -> None:
        text = "".join(self._text)
        self._text.clear()
        run = self._top.run or self._top
        if run.tag == "script":
            self._script(run, text)
            return
        if run.tag in UNREAD:
            return
        is_verbatim = run.role in VERBATIM
        text = text.replace("\r\n", "\n").strip("\n") if is_verbatim else _collapsed(text)
        if text:
            self._pieces.add(run.role, text, (run, TEXT, self._line))
            self._line = False
            cell = run if run.tag in CELLS else run.cell
            if cell is not None:
                note_heading(cell, text)

    def _script(self, element: Element, text: str) -> None:
        """Take a script in; one of another type than JavaScript holds data, mostly JSON."""
        kind = element.attributes.get("type", "").strip(SPACE).lower()
        if text := text.strip(SPACE):
            self._pieces.add("script" if kind in _SCRIPTS else STATE, text, (element, "", False))

    def _attributes(self, element: Element, kind: Kind) -> None:
        tag = element.tag
        if tag in FIELDS:
            self._field(element, kind)
        elif tag == "form":
            self._form(element, kind)
        elif tag in ("meta", "link"):
            self._named(element, subject_of(element), kind.attributes)
        elif kind.attributes:
            self._named(element, "", kind.attributes)
            if tag == "option" and "selected" in element.attributes:
                chosen = element.attributes.get("value", "true")
                self._pieces.add("option.selected", chosen, (element, "selected", self._line))

    def _named(self, element: Element, name: str, attributes: tuple[str, ...]) -> None:
        slot = f"{element.tag}[{name}]" if name else element.tag
        for attribute in attributes:
            value = element.attributes.get(attribute)
            if value is None or (f"{element.tag}.{attribute}", value.lower()) in DEFAULTS:
                continue
            if attribute in BOOLEAN:
                value = value if attribute == "download" and value else "true"
            elif attribute != "value":
                value = value.strip(SPACE)
            if attribute == "charset":
                value = value.lower()
            self._pieces.add(f"{slot}.{attribute}", value, (element, attribute, self._line))

    def _field(self, element: Element, kind: Kind) -> None:
        """A field is there by its name, whatever else it says."""
        name = field_name(element)
        self._pieces.add(f"{element.tag}[].name", name, (element, "name", self._line))
        self._named(element, name, kind.attributes)

    def _form(self, element: Element, kind: Kind) -> None:
        attributes = element.attributes
        method = attributes.get("method", "").strip(SPACE).lower()
        place = (element, "method", self._line)
        self._pieces.add("form.method", method if method in ("post", "dialog") else "get", place)
        action = attributes.get("action", "").strip(SPACE)
        self._pieces.add("form.action", action, (element, "action", self._line))
        self._named(element, "", kind.attributes)


def _collapsed(text: str) -> str:
    """Collapse white space as browsers do, and make line breaks of what stands for them."""
    if "\n" in text or "  " in text or "\t" in text or "\r" in text or "\f" in text:
        text = _SPACES.sub(" ", text)
    if _LINE_BREAK in text:
        text = _BREAKS.sub("\n", text)
    return text.strip(SPACE)
