from __future__ import annotations

import os
from pathlib import Path

import pytest

from shadow_compare.recorder.files import Files, FullError


def contents(folder: Path) -> dict[str, bytes]:
    """Give what every file has."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_a_file_that_is_full_is_followed_by_another(tmp_path: Path) -> None:
    """No piece is cut in two; one that is larger than a file has one to itself."""
    files = Files(tmp_path, "w0", 100, file_max=10)
    for piece in (b"aaaa", b"bbbb", b"cccc", b"d" * 30, b"e"):
        files.append(piece)
    files.close()
    assert contents(tmp_path) == {
        "w0-0001.gor": b"aaaabbbb",
        "w0-0002.gor": b"cccc",
        "w0-0003.gor": b"d" * 30,
        "w0-0004.gor": b"e",
    }
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_all_of_them_together_are_bounded_also_over_a_restart(tmp_path: Path) -> None:
    """Who goes on in the place of a dead one counts what that has written; others do not."""
    Files(tmp_path, "other", 100).append(b"x" * 100)
    Files(tmp_path, "w0", 10).append(b"123456")
    after = Files(tmp_path, "w0", 10)
    assert after.written == 6
    with pytest.raises(FullError, match="size"):
        after.append(b"12345")
    after.append(b"1234")
    assert sorted(contents(tmp_path)) == ["other-0001.gor", "w0-0001.gor", "w0-0002.gor"]


def test_a_disk_that_takes_a_part_keeps_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in the file are whole pieces."""
    files, write = Files(tmp_path, "w0", 100), os.write
    files.append(b"whole")
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:2]))
    with pytest.raises(FullError, match="disk"):
        files.append(b"part")
    assert contents(tmp_path) == {"w0-0001.gor": b"whole"}
    monkeypatch.setattr(os, "write", write)
    files.append(b"next")
    assert contents(tmp_path) == {"w0-0001.gor": b"wholenext"}


def test_a_folder_that_cannot_be_made_or_written_is_told(tmp_path: Path) -> None:
    """By the system's error at the start, and as a full disk later."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Files(tmp_path / "file", "w0", 10)
    files = Files(tmp_path / "gone", "w0", 10)
    (tmp_path / "gone").rmdir()
    with pytest.raises(FullError, match="disk"):
        files.append(b"x")
