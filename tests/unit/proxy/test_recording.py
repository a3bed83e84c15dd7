from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from proxy.errors import SettingsError
from proxy.recording import Recording, RecordingFile, recorded

AT = 1_796_126_400.0  # 2026-12-01 12:00
ORDER = Recording.begun(AT, AT + 600, ["plans"], 0.1, 1000, "ada", "a test")


def test_an_order_is_named_after_its_beginning() -> None:
    """And holds for some routes, until its end."""
    assert ORDER.id == "20261201T120000Z"
    assert ORDER.takes("plans", AT)
    assert not ORDER.takes("users", AT)
    assert not ORDER.takes("plans", AT + 600)
    assert Recording.begun(AT, AT + 1, [], 1.0, 1, "a", "r").takes("users", AT)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    """By others too, and nothing of it stays behind when it is taken back."""
    file = RecordingFile(tmp_path)
    assert file.read() is None
    file.write(ORDER)
    assert file.read() == RecordingFile(tmp_path).read() == ORDER
    later = Recording.begun(AT + 60, AT + 600, [], 1.0, 1000, "ada", "another")
    RecordingFile(tmp_path).write(later)
    assert file.read() == later
    assert file.remove()
    assert file.read() is None
    assert not file.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        json.dumps({**ORDER.to_plain(), "more": 1}),
        json.dumps({**ORDER.to_plain(), "id": "../../etc"}),
        json.dumps({**ORDER.to_plain(), "share": 0}),
        json.dumps({**ORDER.to_plain(), "share": "all"}),
        json.dumps({**ORDER.to_plain(), "size": -1}),
        json.dumps({**ORDER.to_plain(), "until": 0}),
        json.dumps({**ORDER.to_plain(), "routes": None}),
        " " * 2_000_000,
    ],
)
def test_what_is_no_order_is_heeded_by_nobody(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    """And logged once, however often one looks."""
    file = RecordingFile(tmp_path)
    file.path.write_text(content)
    assert [file.read() for _ in range(3)] == [None] * 3
    assert len(caplog.records) == 1


def test_a_pipe_in_its_place_makes_nobody_wait(tmp_path: Path) -> None:
    """Only a file is read."""
    file = RecordingFile(tmp_path)
    os.mkfifo(file.path)
    assert file.read() is None


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """With the place and the system's reason."""
    with pytest.raises(SettingsError, match=r"recording\.json"):
        RecordingFile(tmp_path / "missing").write(ORDER)
    file = RecordingFile(tmp_path)
    file.path.mkdir()
    with pytest.raises(SettingsError, match=r"recording\.json"):
        file.write(ORDER)
    assert [each.name for each in tmp_path.iterdir()] == ["recording.json"]
    with pytest.raises(SettingsError, match="remove it by hand"):
        file.remove()


def test_recordings_are_listed_the_newest_first(tmp_path: Path) -> None:
    """With their files and bytes; whatever else lies there is none."""
    assert recorded(tmp_path / "none") == []
    for name, sizes in (("20260101T000000Z", [3]), ("20261201T120000Z", [1, 2]), ("other", [5])):
        (tmp_path / name).mkdir()
        for number, size in enumerate(sizes):
            (tmp_path / name / f"shadow0-{number}.gor").write_text("x" * size)
    (tmp_path / "20261201T120000Z" / "notes.txt").write_text("mine")
    found = [(each.id, each.files, each.size) for each in recorded(tmp_path)]
    assert found == [("20261201T120000Z", 2, 3), ("20260101T000000Z", 1, 3)]
