from __future__ import annotations

from pathlib import Path

import pytest

from proxy.errors import SettingsError
from proxy.kill_file import KillFile


def test_the_file_is_the_switch(tmp_path: Path) -> None:
    """Whoever made it, and whatever stands in it."""
    switch = KillFile(tmp_path)
    assert not switch.is_on()
    (tmp_path / "kill").touch()
    assert switch.is_on()
    assert switch.words() == f"somebody made the file {tmp_path / 'kill'}"
    (tmp_path / "kill").unlink()
    assert not switch.is_on()


def test_it_says_who_turned_it_on_and_why(tmp_path: Path) -> None:
    """For the operator who finds it."""
    switch = KillFile(tmp_path)
    switch.turn_on("ada", "wrong prices \N{EURO SIGN}")
    assert switch.is_on()
    assert switch.words() == "ada: wrong prices \N{EURO SIGN}"
    assert switch.turn_off()
    assert not switch.is_on()
    assert not switch.turn_off()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b'{"author": "ada"}', b"{" * 9999])
def test_no_content_breaks_it(tmp_path: Path, content: bytes) -> None:
    """It is on, and says what it knows."""
    (tmp_path / "kill").write_bytes(content)
    assert KillFile(tmp_path).is_on()
    assert "somebody made the file" in KillFile(tmp_path).words()


def test_a_link_that_leads_nowhere_counts(tmp_path: Path) -> None:
    """Somebody wanted it there."""
    (tmp_path / "kill").symlink_to(tmp_path / "nothing")
    assert KillFile(tmp_path).is_on()


def test_what_cannot_be_looked_at_changes_nothing(tmp_path: Path) -> None:
    """A name that is longer than a path may be stands for every error but "it is not there"."""
    switch = KillFile(tmp_path / ("x" * 300))
    assert not switch.is_on()
    switch._last = True
    assert switch.is_on()


def test_it_tells_why_it_cannot_be_turned(tmp_path: Path) -> None:
    """With the path, so that it can be done by hand."""
    with pytest.raises(SettingsError, match="nowhere/kill: No such file"):
        KillFile(tmp_path / "nowhere").turn_on("ada", "why")
    (tmp_path / "kill").mkdir()
    with pytest.raises(SettingsError, match="remove it by hand"):
        KillFile(tmp_path).turn_off()
