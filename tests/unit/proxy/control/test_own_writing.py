from __future__ import annotations

from pathlib import Path

from proxy.control.own_writing import OwnWriting


def test_what_was_noted_is_known_to_the_next(tmp_path: Path) -> None:
    """The last two: the file may hold the one before, if a process died in between."""
    place = tmp_path / "rules.own"
    for content in (b"one", b"two", b"two", b"three"):
        OwnWriting(place).note(content)
    own = OwnWriting(place)
    assert [each for each in (b"one", b"two", b"three", b"four") if own.has(each)] == [
        b"two",
        b"three",
    ]


def test_without_its_file_nothing_is_known(tmp_path: Path) -> None:
    """Nor does it fail: where nothing can be noted an edit is told, and not lost."""
    own = OwnWriting(tmp_path / "not there" / "rules.own")
    own.note(b"one")
    assert not own.has(b"one")
