"""HTML: what a page says, where it leads, and what it lets one send.

Not compared: comments, styles, classes, ids, event handlers, and which elements only lay text out.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from shadow_compare.budget import check_pieces
from shadow_compare.formats.charset import text_of
from shadow_compare.formats.html_element import TEXT
from shadow_compare.formats.html_page import STATE, read_page
from shadow_compare.formats.html_place import cleaned, path_of
from shadow_compare.formats.html_vocabulary import URLS, VERBATIM
from shadow_compare.formats.pieces import Manner, Pieces, compare_pieces
from shadow_compare.formats.script import compare_scripts, compare_state
from shadow_compare.formats.text import around_change
from shadow_compare.normalize import Answer
from shadow_compare.paths import Label, Path
from shadow_compare.structure import Walk

_QUERY_FIELDS_MAX = 100


def read_html(body: bytes, answer: Answer) -> Pieces:
    """Read a page; there is none that cannot be read, but for its size (NotComparableError)."""
    check_pieces(body, b"<")
    return read_page(text_of(body, answer, markup=True))


def compare_html(walk: Walk, old: Pieces, new: Pieces) -> None:
    """Compare two pages."""
    compare_pieces(walk, old, new, Manner(path_of, _compare, _is_same_text))


def _compare(walk: Walk, slot: str, old: str, new: str, path: Path) -> None:
    if slot == "script":
        compare_scripts(walk, old, new, path)
    elif slot == STATE:
        compare_state(walk, old, new, path)
    elif path[-1] in URLS:
        _compare_urls(walk, old, new, path)
    else:
        walk.compare(*around_change(old, new), path)


def _compare_urls(walk: Walk, old: str, new: str, path: Path) -> None:
    """Compare two URLs; where only values in the query differ, name the parameters."""
    before, after = _parts(old), _parts(new)
    if before is None or after is None or before[0] != after[0] or _names(before) != _names(after):
        walk.compare(*around_change(old, new), path)
        return
    for (name, one), (_, other) in zip(before[1], after[1], strict=True):
        if one != other:
            walk.compare(*around_change(one, other), (*path, Label(cleaned(name) or "?")))


def _parts(url: str) -> tuple[SplitResult, list[tuple[str, str]]] | None:
    """Give a URL without its query, and the query; a part of it without `=` has no name."""
    try:
        split = urlsplit(url)
    except ValueError:
        return None
    parts = [part.partition("=") for part in split.query.split("&", _QUERY_FIELDS_MAX)]
    fields = [(name, value) if equals else ("", name) for name, equals, value in parts]
    return split._replace(query=""), fields


def _names(parts: tuple[SplitResult, list[tuple[str, str]]]) -> list[str]:
    return [name for name, _ in parts[1]]


def _is_same_text(old: Pieces, olds: range, new: Pieces, news: range) -> bool:
    """Whether two runs of text read the same, although other elements hold them.

    White space at the edge of an element has not been kept, so there it may stand or not.
    """
    before, after = _Run.of(old, olds), _Run.of(new, news)
    return (
        before is not None
        and after is not None
        and (before.roles, before.letters) == (after.roles, after.letters)
        and before.spaces ^ after.spaces <= before.edges | after.edges
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """Text without spaces, with the places of spaces and of edges of elements within it."""

    roles: set[str]
    letters: str
    spaces: set[int]
    edges: set[int]

    @classmethod
    def of(cls, pieces: Pieces, run: range) -> _Run | None:
        """Read a run of pieces; None when there is more in it than text."""
        roles, spaces, edges = set[str](), set[int](), set[int]()
        letters: list[str] = []
        count = 0
        for index in run:
            role, text = pieces.keys[index]
            _, what, begins_line = pieces.places[index]
            if what != TEXT or role in VERBATIM:
                return None
            roles.add(role)
            if begins_line:
                letters.append("\n")
                count += 1
            edges.add(count)
            for word in text.split(" "):
                letters.append(word)
                count += len(word)
                spaces.add(count)
            edges.add(count)
        return cls(roles, "".join(letters), spaces - edges, edges)
