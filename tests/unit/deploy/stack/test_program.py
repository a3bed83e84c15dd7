from __future__ import annotations

from pathlib import Path

import pytest

from deploy.stack.errors import CommandError, MissingProgramError
from deploy.stack.program import find, shown


def test_paths_are_shown_as_one_would_type_them() -> None:
    """Below the checkout a path is relative."""
    here = Path(__file__)
    assert shown(here) == "tests/unit/deploy/stack/test_program.py"
    assert shown(Path("/var/log")) == "/var/log"


def test_a_missing_program_is_told_with_its_package_and_the_ways_out() -> None:
    """The message names the package, the set-up command, and the containers."""
    with pytest.raises(MissingProgramError) as error:
        find("no-such-server", "some-package")
    assert "no-such-server is not installed (Debian package: some-package)" in str(error.value)
    assert "deploy/setup.sh" in str(error.value)
    assert "docker compose up" in str(error.value)


def test_a_failed_command_is_told_with_what_it_said() -> None:
    """Status and output are in the message, indented below it."""
    assert str(CommandError("seed", 3, "no table\n")) == "`seed` ended with status 3:\n    no table"
