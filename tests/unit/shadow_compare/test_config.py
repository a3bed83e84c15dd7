from __future__ import annotations

import errno
import stat
from pathlib import Path

import pytest

from shadow_compare.config import KEY_BYTES, ShadowSettings, key_at


def test_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    """Every process of one state directory finds the same key, which nobody else may read."""
    path = tmp_path / "state" / "redaction.key"
    key = key_at(path)
    assert len(key) == KEY_BYTES
    assert key_at(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_key_is_not_shown() -> None:
    """Settings can be printed without telling the key."""
    assert "hunter2" not in repr(ShadowSettings(redaction_key=b"hunter2"))


def test_key_that_is_there_is_only_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start with a full disk finds its key, because nothing has to be written for it."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    key = key_at(tmp_path / "mint.key")
    monkeypatch.setattr("shadow_compare.config.os.open", full)
    assert key_at(tmp_path / "mint.key") == key
