"""How bodies are read and compared: one module for each kind of content.

A reader turns a body into a value that holds all that counts in this format, and `compare` finds
where two such values differ. JSON, forms and CSV become trees of JSON values, which the walk
compares by itself; pages, texts, XML and PDF become sequences of pieces (see `pieces`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from shadow_compare.formats.csv import read_csv
from shadow_compare.formats.errors import UnreadableError
from shadow_compare.formats.form import read_form
from shadow_compare.formats.html import compare_html, read_html
from shadow_compare.formats.json import read_json
from shadow_compare.formats.pdf import compare_pdf, read_pdf
from shadow_compare.formats.text import compare_text, read_text
from shadow_compare.formats.xml import compare_xml, read_xml
from shadow_compare.json_value import Json, is_same_content
from shadow_compare.normalize import Answer, Content
from shadow_compare.paths import BODY, Path
from shadow_compare.structure import Walk

__all__ = ["FORMATS", "Format", "UnreadableError", "content_of"]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of content.

    `read` takes the decoded body of an answer, and raises UnreadableError or NotComparableError;
    `compare` takes what it gave for both sides. `root` is where the paths of this format begin.
    """

    root: Path
    read: Callable[[bytes, Answer], Any]
    compare: Callable[[Walk, Any, Any], None]


def _compare_trees(root: Path, walk: Walk, old: Json, new: Json) -> None:
    if not is_same_content(old, new):
        walk.compare(old, new, root)


def _tree(root: Path, read: Callable[[bytes, Answer], Json]) -> Format:
    return Format(root, read, partial(_compare_trees, root))


FORMATS: Final[Mapping[Content, Format]] = {
    Content.JSON: _tree(BODY, read_json),
    Content.PDF: Format(("pdf",), read_pdf, compare_pdf),
    Content.XML: Format(("xml",), read_xml, compare_xml),
    Content.CSV: _tree(("csv",), read_csv),
    Content.FORM: _tree(("form",), read_form),
    Content.TEXT: Format(("text",), read_text, compare_text),
    Content.HTML: Format(("html",), read_html, compare_html),
}
"""Of two that differ the one that stands first here: PHP calls everything HTML unless told."""


def content_of(old: Answer, new: Answer) -> Content:
    """Give how two bodies are compared with one another.

    An answer without a type is what the other one is. Two of different types differ in that header
    already; their bodies are then read as the type that says more.
    """
    if not old.media_type or not new.media_type:
        return new.content if not old.media_type else old.content
    contents = {old.content, new.content}
    if Content.BYTES in contents:
        return Content.BYTES
    return next(content for content in FORMATS if content in contents)
