from __future__ import annotations

from datetime import date

from shadow_compare.budget import Budget
from shadow_compare.formats.pieces import Manner, Pieces, compare_pieces
from shadow_compare.paths import Path, path_text
from shadow_compare.rules import CompareRules
from shadow_compare.structure import Walk


def _compare(walk: Walk, _slot: str, old: str, new: str, path: Path) -> None:
    walk.compare(old, new, path)


MANNER = Manner(lambda place: ("text", place), _compare)


def pieces(*words: str) -> Pieces:
    """Give pieces from `slot:value@place`."""
    found = Pieces()
    for word in words:
        slot, _, rest = word.partition(":")
        value, _, place = rest.partition("@")
        found.add(slot, value, place or slot)
    return found


def told(old: Pieces, new: Pieces) -> list[str]:
    """Compare, and give each difference with its values."""
    walk = Walk(CompareRules(), date(2026, 3, 1), Budget())
    compare_pieces(walk, old, new, MANNER)
    return [
        f"{each.kind} {path_text(each.path)} {each.old} {each.new}".replace("Absent.ABSENT", "-")
        for each in walk.findings.differences
    ]


def test_equal_pieces_at_other_places_are_equal() -> None:
    """What surrounds a piece in the markup is not compared."""
    assert told(pieces("h1:a@x", "p:b@x"), pieces("h1:a@y", "p:b@z")) == []


def test_between_the_same_neighbours_the_same_place_belongs_together() -> None:
    """First by place, then by slot in order; what is left is missing or extra."""
    old = pieces("p:start", "p:a@one", "p:b@two", "h1:c", "p:end")
    new = pieces("p:start", "p:B@two", "p:x@three", "p:end")
    assert told(old, new) == [
        "value_changed text.one a x",
        "value_changed text.two b B",
        "missing text.h1 c -",
    ]


def test_slots_do_not_mix() -> None:
    """A value never belongs to a piece that is something else."""
    assert told(pieces("h1:a"), pieces("p:a")) == ["missing text.h1 a -", "extra text.p - a"]


def test_moved_pieces_are_told_once_for_each_place() -> None:
    """All that stands elsewhere, in the order of each side."""
    old = pieces("p:1", "p:2", "p:3", "p:4", "p:5")
    new = pieces("p:3", "p:4", "p:5", "p:2", "p:1")
    assert told(old, new) == ["reordered text.p ['1', '2'] ['2', '1']"]
