from __future__ import annotations

import json
from pathlib import Path

import pytest

from shadow_compare.__main__ import main


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Give two files that differ as PHP and Python do, and in one value."""
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text('{"data":[{"id":1,"price":"9.90"},{"id":2,"price":"5.00"}],"at":1}')
    new.write_text('{"data":[{"id":2,"price":5.0},{"id":1,"price":9.9}],"at":2}')
    return str(old), str(new)


def test_equal_files_exit_with_zero(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The same file twice is a match."""
    assert main(["compare", files[0], files[0]]) == 0
    assert capsys.readouterr().out == "MATCH\n"


def test_differences_exit_with_one(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Differences are listed with path and both values."""
    options = ["--equivalence", "number_as_string", "--key", "$.data=id"]
    assert main(["compare", *files, *options]) == 1
    out = capsys.readouterr().out
    assert "reordered      $.data[order]" in out
    assert "value_changed  $.at\n      old: 1\n      new: 2\n" in out
    assert "fired          number_as_string: 2" in out


def test_declared_noise_exits_with_zero_and_json_tells_all(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With everything declared the files are the same; the JSON says what was ignored."""
    options = ["--equivalence=number_as_string", "--key=$.data=id", "--json"]
    options += ["--ignore=$.at", "--ignore=$.data[order]"]
    assert main(["compare", *files, *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["reason"]) == ("ignored", "rules")
    assert [each["path"] for each in found["ignored"]] == ["$.data[order]", "$.at"]
    assert found["fired"]["number_as_string"] == 2


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        ("{", [], "not comparable as JSON"),
        ("[" * 500 + "]" * 500, [], "nested deeper"),
        ("{}", ["--zone", "Nowhere"], "not the name of a time zone"),
        ("{}", ["--ignore", "x"], "is not a path"),
        ("{}", ["--key", "$.data"], "PATH=MEMBER"),
    ],
)
def test_what_cannot_be_compared_exits_with_two(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str,
    options: list[str],
    told: str,
) -> None:
    """Files that are no JSON and options that make no sense are told on standard error."""
    file = tmp_path / "x.json"
    file.write_text(content)
    assert main(["compare", str(file), str(file), *options]) == 2
    assert told in capsys.readouterr().err


def test_missing_file_exits_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is named."""
    assert main(["compare", "nowhere.json", "nowhere.json"]) == 2
    assert "nowhere.json" in capsys.readouterr().err


def test_help_shows_examples_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever asks for help sees how it is used."""
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    out = capsys.readouterr().out
    assert "examples:" in out
    assert "exit codes: 0 the same, 1 different, 2 not comparable" in out
