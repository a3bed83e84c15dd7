from __future__ import annotations

import stat
from pathlib import Path

from shadow_compare.config import KEY_BYTES, ShadowSettings, redaction_key_at


def test_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    """Every process of one state directory finds the same key, which nobody else may read."""
    path = tmp_path / "state" / "redaction.key"
    key = redaction_key_at(path)
    assert len(key) == KEY_BYTES
    assert redaction_key_at(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_key_is_not_shown() -> None:
    """Settings can be printed without telling the key."""
    assert "hunter2" not in repr(ShadowSettings(redaction_key=b"hunter2"))
