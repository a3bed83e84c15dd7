from __future__ import annotations

from pathlib import Path

import pytest

from proxy.bootstrap.paths import StatePaths
from proxy.errors import SettingsError
from proxy.settings import serve_settings


def test_the_state_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """With the directories above it; making it again changes nothing."""
    paths = StatePaths(tmp_path / "var" / "state")
    paths.make()
    paths.make()
    assert paths.state.stat().st_mode & 0o777 == 0o700


def test_a_state_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """By the option that names it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"--state .*file: File exists"):
        StatePaths(tmp_path / "file").make()


def test_the_database_is_below_the_state_unless_another_is_named(tmp_path: Path) -> None:
    """So nothing must be installed to begin."""
    paths = StatePaths(tmp_path)
    assert paths.database_url(serve_settings({}, {})).endswith(f"{tmp_path}/cutover.db")
    named = serve_settings({}, {"CUTOVER_STORE": "postgresql+asyncpg://db/cutover"})
    assert paths.database_url(named) == "postgresql+asyncpg://db/cutover"
