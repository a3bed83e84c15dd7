from __future__ import annotations

import re
import shlex

from proxy.commands.parser import build_parser
from tests.support_docs import ROOT, blocks

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_make_targets_exist() -> None:
    """Every `make` command shown is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = {
        line.split()[1]
        for block in blocks(TEXT, "sh")
        for line in block.splitlines()
        if line.startswith("make ")
    }
    assert {"run", "test", "demo"} <= shown <= targets


def test_the_commands_can_be_parsed() -> None:
    """Every `cutover` command shown is one that the program understands."""
    commands = re.findall(r"^\$ cutover (.*)$", TEXT, re.MULTILINE)
    assert len(commands) >= 5
    for command in commands:
        build_parser().parse_args(shlex.split(command))


def test_a_newcomer_finishes_in_five_minutes() -> None:
    """The text is short: at 200 words a minute it is read in five."""
    assert len(re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL).split()) < 1000
