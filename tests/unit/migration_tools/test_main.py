import pytest

from migration_tools.__main__ import main
from migration_tools.errors import COULD_NOT_RUN

ADDRESSES = ["--source", "mysql://u@h/d", "--target", "postgresql://u@h/d"]


@pytest.mark.parametrize("command", ["copy", "verify"])
def test_help_has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help of each command shows how it is called and what it answers."""
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert f"python -m migration_tools {command}" in shown
    assert "Exit codes: 0 equal, 1 the data disagrees" in shown


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--tables", "users,invoices", "no table invoices; there are users,"),
        ("--tables", ",", "names no table"),
        ("--zone", "Europe/Atlantis", "no zone 'Europe/Atlantis'"),
        ("--zone", "../../etc/localtime", "is not the name of a zone"),
        ("--zone", "UTC' OR '1", "is not the name of a zone"),
        ("--batch-size", "0", "is at least 1"),
        ("--max-rejected", "-1", "is not a whole number"),
    ],
)
def test_bad_option(
    option: str, value: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An option that makes no sense is refused before anything is opened."""
    with pytest.raises(SystemExit) as caught:
        main(["copy", *ADDRESSES, f"{option}={value}"])
    assert caught.value.code == COULD_NOT_RUN
    assert words in capsys.readouterr().err


def test_no_address(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without addresses the command says where they may come from."""
    monkeypatch.delenv("LEGACY_DATABASE_URL", raising=False)
    assert main(["verify"]) == COULD_NOT_RUN
    assert "set LEGACY_DATABASE_URL" in capsys.readouterr().err
