from __future__ import annotations

import inspect
import re
import shlex

import pytest

from proxy.commands.parser import build_parser
from proxy.observe import metrics
from proxy.rollout.breach import DETECTORS
from tests.support_docs import blocks, code, codes, read, rows

TEXT = read("runbook.md")


def _commands() -> list[str]:
    """Give every complete `cutover` command of the blocks and of the text."""
    lines = [line for block in blocks(TEXT, "sh") for line in block.splitlines()]
    found = [line for line in [*lines, *codes(TEXT)] if re.match(r"cutover [a-z]", line)]
    return sorted({line.partition("  #")[0].strip() for line in found} - {"cutover set-weight"})


@pytest.mark.parametrize("command", _commands())
def test_the_commands_can_be_typed(command: str) -> None:
    """Each command is one that the program understands; what needs a reason has one."""
    words = [{"N": "17"}.get(word, word) for word in shlex.split(command)[1:]]
    assert callable(build_parser().parse_args(words).run)


def test_the_detectors_are_those_that_decide() -> None:
    """The table explains every detector that a breach can name, and no other."""
    assert {code(row["detector"]) for row in rows(TEXT) if "detector" in row} == DETECTORS


def test_the_metrics_exist() -> None:
    """Every metric that the text names is one that is exported."""
    source = inspect.getsource(metrics)
    for name in re.findall(r"\bcutover_\w+", TEXT):
        event = name.removeprefix("cutover_").removesuffix("_total")
        assert event in metrics.EVENTS or f'"{name.removesuffix("_total")}"' in source, name
