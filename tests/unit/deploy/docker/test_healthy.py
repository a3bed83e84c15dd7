from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.docker.healthy import healthy


def test_a_file_written_just_now_is_fresh(tmp_path: Path) -> None:
    """Endings that a database library adds are looked for too."""
    (tmp_path / "beat.db").touch()
    assert healthy(f"fresh:{tmp_path}/beat:600")


def test_an_old_or_missing_file_is_not_fresh(tmp_path: Path) -> None:
    """A beat that has stopped writing is not healthy, nor is one that never wrote."""
    old = tmp_path / "old"
    old.touch()
    os.utime(old, (1, 1))
    assert not healthy(f"fresh:{old}:600")
    assert not healthy(f"fresh:{tmp_path}/none:600")


def test_only_http_is_asked() -> None:
    """A file URL would be answered by this very machine, and prove nothing."""
    with pytest.raises(ValueError, match="cannot ask"):
        healthy("file:///etc/hostname")
