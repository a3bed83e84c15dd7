"""What a search looks at: the words of a group of differences, folded and bounded (pure).

One line says what the group is: route, kinds and places. Each line below it is a value that was
seen there, redacted as it is shown, the latest first: as many as there is room for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from shadow_compare.text import storable

HEAD_MAX: Final = 4_000
"""Characters about what a group is; one that differs in a hundred places is found by the first."""
VALUES_MAX: Final = 1_000
"""Characters of all values of a group: rows that stay short are read through quickly."""
VALUE_MAX: Final = 200


def head_of(route: str, kinds: Iterable[str], paths: Iterable[str]) -> str:
    """Give the line that says what a group is; a kind is found as it is written and as it is told.

    Of the places a part is given when they are too long, never half of a name.
    """
    words = [route, *kinds]
    words += [kind.replace("_", " ") for kind in words[1:] if "_" in kind]
    room = HEAD_MAX
    kept: list[str] = []
    for word in map(_folded, (*words, *paths)):
        room -= len(word) + 1
        if room < 0:
            break
        kept.append(word)
    return " ".join(kept)


def with_values(searched: str, values: Iterable[str]) -> str:
    """Add values that were seen now to what is searched; the oldest give way."""
    head, *known = searched.split("\n")
    lines = dict.fromkeys(_folded(value)[:VALUE_MAX] for value in values) | dict.fromkeys(known)
    room = VALUES_MAX
    kept: list[str] = []
    for line in filter(None, lines):
        room -= len(line) + 1
        if room >= 0:
            kept.append(line)
    return "\n".join([head, *kept])


def words_of(search: str) -> tuple[str, ...]:
    """Give the words of what somebody looks for, each once, folded as that which is searched."""
    return tuple(dict.fromkeys(_folded(search).split()))


def _folded(text: str) -> str:
    """Make case, control characters and runs of blanks tell nothing."""
    return " ".join(storable(text).casefold().split())
