from __future__ import annotations

import argparse
import shlex

import pytest

from proxy.commands.parser import build_parser
from proxy.settings import SERVE_SETTINGS

COMMANDS = (
    "serve",
    "upgrade",
    "check",
    "schema",
    "explain",
    "override-token",
    "routes",
    "hosts",
    "set-weight",
    "rollback",
    "resume",
    "resume-writes",
    "deployed",
    "kill",
    "unkill",
    "advance",
    "hold",
    "approve",
    "pins",
    "pin",
    "unpin",
    "simulate",
    "diffs",
    "compare",
    "record",
    "replay",
    "history",
    "decisions",
    "diff",
    "revert",
    "export",
    "import",
    "audit",
    "alerts",
    "accounts",
)


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Give the parser of every command."""
    [action] = [
        each for each in build_parser()._actions if isinstance(each, argparse._SubParsersAction)
    ]
    return dict(action.choices)


def test_these_are_the_commands() -> None:
    """No more and no less than the documentation names."""
    assert tuple(parsers()) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples_that_parse(command: str) -> None:
    """--help shows what it does and examples, and each example is a command line we accept."""
    text = parsers()[command].format_help()
    examples = [
        line.strip() for line in text.partition("examples:")[2].splitlines() if "cutover" in line
    ]
    assert examples
    for example in examples:
        words = [word for word in shlex.split(example) if not word.startswith("CUTOVER_")]
        assert words[:2] == ["cutover", command]
        assert build_parser().parse_args(words[1:]).run is not None


@pytest.mark.parametrize("command", [c for c in COMMANDS if c != "serve"])
def test_every_command_but_serve_prints_json_for_scripts(command: str) -> None:
    """With --json."""
    assert "--json" in parsers()[command].format_help()


def test_serve_has_an_option_for_every_setting_and_names_its_variable() -> None:
    """The help is the table of settings."""
    text = " ".join(parsers()["serve"].format_help().split())
    for setting in SERVE_SETTINGS:
        assert f"{setting.option} {setting.metavar}" in text
        assert setting.variable in text


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["set-weight", "plans", "10%"],
        ["set-weight", "plans", "--reason", "x"],
        ["rollback", "--reason", "x"],
        ["rollback", "plans", "--reason", "x", "--if-version", "x"],
        ["serve", "--port", "80"],
        ["routes", "--jso"],
    ],
)
def test_what_cannot_be_understood_is_exit_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With the usage on standard error."""
    with pytest.raises(SystemExit) as caught:
        build_parser().parse_args(arguments)
    assert caught.value.code == 2
    assert "usage: cutover" in capsys.readouterr().err
