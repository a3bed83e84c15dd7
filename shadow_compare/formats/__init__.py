"""How bodies are read and compared: one module for each kind of content.

A reader turns a body into a value that holds all that counts in this format, and `compare` finds
where two such values differ. JSON, forms and CSV become trees of JSON values, which the walk
compares by itself; pages, texts, XML and PDF become sequences of pieces (see `pieces`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

from shadow_compare.formats.csv import read_csv
from shadow_compare.formats.errors import UnreadableError
from shadow_compare.formats.excerpt import digest
from shadow_compare.formats.form import read_form
from shadow_compare.formats.html import compare_html, read_html
from shadow_compare.formats.json import read_json, read_unlike_json
from shadow_compare.formats.pdf import compare_pdf, read_pdf
from shadow_compare.formats.text import compare_text, read_text
from shadow_compare.formats.xml import compare_xml, read_xml
from shadow_compare.json_value import Json
from shadow_compare.normalize import Answer, Content, content_of_type, media_type_of
from shadow_compare.paths import BODY, Path
from shadow_compare.structure import Walk

__all__ = ["FORMATS", "Format", "UnreadableError", "format_of"]


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of content is read and compared.

    `read` takes the decoded body of an answer, and raises UnreadableError or NotComparableError;
    `compare` takes what it gave for both sides. `root` is where the paths of this format begin.
    `read_unlike` reads both bodies, where it can be told sooner that they surely say the same.
    """

    content: Content
    root: Path
    read: Callable[[bytes, Answer], Any]
    compare: Callable[[Walk, Any, Any], None]
    read_unlike: Callable[[bytes, bytes], tuple[Any, Any] | None] | None = None


def _compare_trees(root: Path, walk: Walk, old: Json, new: Json) -> None:
    walk.compare(old, new, root)


def _tree(content: Content, root: Path, read: Callable[[bytes, Answer], Json]) -> Format:
    return Format(content, root, read, partial(_compare_trees, root))


def _read_bytes(body: bytes, _answer: Answer) -> Json:
    return digest(body)


FORMATS: Final[Mapping[Content, Format]] = {
    each.content: each
    for each in (
        _tree(Content.BYTES, BODY, _read_bytes),
        Format(Content.JSON, BODY, read_json, partial(_compare_trees, BODY), read_unlike_json),
        Format(Content.PDF, ("pdf",), read_pdf, compare_pdf),
        Format(Content.XML, ("xml",), read_xml, compare_xml),
        _tree(Content.CSV, ("csv",), read_csv),
        _tree(Content.FORM, ("form",), read_form),
        Format(Content.TEXT, ("text",), read_text, compare_text),
        Format(Content.HTML, ("html",), read_html, compare_html),
    )
}
"""Of two that differ the one that stands first here: PHP calls everything HTML unless told."""


def format_of(old: Answer, new: Answer) -> Format:
    """Give how two bodies are read and compared with one another.

    An answer without a type is what the other one is. Two of different types differ in that header
    already; their bodies are then read as the type that says more.
    """
    return _format_of(old.header("content-type") or "", new.header("content-type") or "")


@lru_cache(maxsize=256)  # there are few types, and 2 us are much where bodies take 20
def _format_of(old: str, new: str) -> Format:
    types = {media_type for each in (old, new) if (media_type := media_type_of(each))}
    contents = set(map(content_of_type, types)) or {Content.BYTES}
    return next(form for content, form in FORMATS.items() if content in contents)
