"""XML as the texts and attributes of its elements, each under the names of those around it.

Prefixes stand for their namespaces, and only those count; comments, processing instructions and
white space around texts do not. A document that declares entities is not read: a few lines of them
make gigabytes.
"""

from __future__ import annotations

from typing import Any, Final
from xml.parsers import expat

from shadow_compare.budget import check_pieces
from shadow_compare.formats.charset import text_of
from shadow_compare.formats.errors import UnreadableError
from shadow_compare.formats.pieces import Manner, Pieces, compare_pieces
from shadow_compare.formats.text import around_change
from shadow_compare.json_value import DEPTH_MAX
from shadow_compare.normalize import Answer, NotComparableError
from shadow_compare.paths import Path
from shadow_compare.structure import Walk

ROOT: Final = "xml"
TEXT: Final = "text"

_BETWEEN = "\x1f"


class _EntitiesError(Exception):
    pass


class _Name:
    """A name as it stands below certain others, once for all elements that stand there."""

    def __init__(self, path: Path, slot: str) -> None:
        self.path = path
        self.slot = slot
        self._below: dict[str, _Name] = {}

    def below(self, name: str) -> _Name:
        found = self._below.get(name)
        if found is None:
            local = name.rpartition(_BETWEEN)[2]
            found = self._below[name] = _Name((*self.path, local), f"{self.slot}/{name}")
        return found


def read_xml(body: bytes, answer: Answer) -> Pieces:
    """Read a document; raises UnreadableError, and NotComparableError (too_big, too_deep)."""
    check_pieces(body, b"<")
    reader = _Reader()
    parser = expat.ParserCreate(encoding="utf-8", namespace_separator=_BETWEEN)
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = reader.entity
    try:
        parser.Parse(text_of(body, answer, markup=True).encode("utf-8"), True)
    except expat.ExpatError as error:
        raise UnreadableError(f"not XML ({error})") from error
    except _EntitiesError as error:
        raise UnreadableError("not XML that can be read (it declares entities)") from error
    return reader.pieces


def compare_xml(walk: Walk, old: Pieces, new: Pieces) -> None:
    """Compare two documents."""
    compare_pieces(walk, old, new, Manner(lambda path: path, _compare))


def _compare(walk: Walk, _slot: str, old: str, new: str, path: Path) -> None:
    walk.compare(*around_change(old, new), path)


class _Reader:
    def __init__(self) -> None:
        self.pieces = Pieces()
        self._open = [_Name((ROOT,), "")]
        self._text: list[str] = []
        self._leaf = False  # whether the element that was opened last is still open

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._flush()
        here = self._open[-1].below(name)
        self._open.append(here)
        if len(self._open) > DEPTH_MAX:
            raise NotComparableError("too_deep")
        for attribute, value in sorted(attributes.items()):
            at = here.below(f"@{attribute}")
            self.pieces.add(at.slot, value, at.path)
        self._leaf = True

    def end(self, _name: str) -> None:
        self._flush(at_least_empty=self._leaf)
        self._leaf = False
        self._open.pop()

    def text(self, text: str) -> None:
        self._text.append(text)

    def entity(self, *_: Any) -> None:
        raise _EntitiesError

    def _flush(self, *, at_least_empty: bool = False) -> None:
        text, self._text = "".join(self._text).strip(), []
        if text or at_least_empty:
            here = self._open[-1]
            self.pieces.add(here.slot, text, (*here.path, TEXT))
