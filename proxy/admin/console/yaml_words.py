"""A rules document cut into words of a kind, line by line, for colours (pure).

It reads YAML as people write rules: it knows no anchors in odd places and no text over many lines.
What it takes for something else is shown in another colour, and nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

LINE_MAX: Final = 2_000
"""Characters of a line that are looked at; nobody reads the colours of a longer one."""


class Word(NamedTuple):
    """A piece of a line; `kind` is empty where it has no colour."""

    kind: str
    text: str


_WORDS: Final = re.compile(
    r"""
      (?P<comment>(?:(?<=\s)|^)\#.*)
    | (?P<key>(?:[A-Za-z_$][\w.$*-]*|"(?:[^"\\]|\\.)*"|'[^']*')(?=\s*:(?:\s|$)))
    | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')
    | (?P<number>(?<![\w.$/-])-?\d[\d_]*(?:\.\d+)?(?:%|ms|[smhd]|[KMG]iB)?(?![\w.$/:-]))
    | (?P<literal>(?<![\w.$/-])(?:true|false|null|~)(?![\w.$/-]))
    | (?P<mark>[{}\[\],]|-(?=\s)|:(?=\s|$))
    """,
    re.VERBOSE,
)


def lines_of(text: str) -> tuple[tuple[Word, ...], ...]:
    """Cut every line into words; together they are the line."""
    return tuple(tuple(_words(line)) for line in text.splitlines())


def _words(line: str) -> Iterator[Word]:
    at = 0
    for found in _WORDS.finditer(line[:LINE_MAX]):
        if found.start() > at:
            yield Word("", line[at : found.start()])
        yield Word(found.lastgroup or "", found[0])
        at = found.end()
    if at < len(line):
        yield Word("", line[at:])
