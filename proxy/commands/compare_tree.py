"""A comparison as a tree of the places that differ, coloured on a terminal."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from proxy.admin.console import wording
from proxy.commands.output import clean
from shadow_compare.difference import ABSENT, Difference
from shadow_compare.json_value import Json, write_json
from shadow_compare.paths import Path, path_text
from shadow_compare.text import shortened, storable
from shadow_compare.verdict import Comparison, Verdict

VALUE_MAX = 400
WIDTH = 200
"""Characters of a line where there is no terminal to ask."""

_TONES = {Verdict.MATCH: "green", Verdict.IGNORED: "green", Verdict.MISMATCH: "red"}


def print_comparison(stream: TextIO, comparison: Comparison) -> None:
    """Print the verdict, and where both differ."""
    console = Console(
        file=stream, highlight=False, width=None if stream.isatty() else WIDTH, soft_wrap=False
    )
    reason = f" ({comparison.reason})" if comparison.reason else ""
    tone = _TONES.get(comparison.verdict, "yellow")
    console.print(Text(f"{comparison.verdict.name}{reason}", style=f"bold {tone}"))
    if comparison.differences:
        console.print(_tree(comparison.differences))
        more = len(comparison.places) - len(comparison.differences)
        if more > 0:
            console.print(Text(f"and at {wording.plural(more, 'place')} more", style="dim"))
    for difference in comparison.ignored:
        told = f"ignored  {difference.kind}  {path_text(difference.path)}"
        console.print(Text(clean(told), style="dim"))
    for rule, times in comparison.fired:
        console.print(Text(clean(f"fired    {rule}  {times}"), style="dim"))


def value_text(value: Json) -> str | None:
    """Write a value as JSON text that any terminal and file can take; None where there is none."""
    return None if value is ABSENT else storable(write_json(value))


def _tree(differences: tuple[Difference, ...]) -> Tree:
    root = Tree(Text(""), hide_root=True)
    nodes: dict[Path, Tree] = {}
    for difference in differences:
        node = root
        for length in range(1, len(difference.path) + 1):
            path = difference.path[:length]
            if path not in nodes:
                nodes[path] = node.add(Text(clean(_step(path)), style="bold"))
            node = nodes[path]
        _describe(node, difference)
    return root


def _step(path: Path) -> str:
    """Write the last step of a path as the whole path is written."""
    return path_text(path).removeprefix(path_text(path[:-1])) if len(path) > 1 else path_text(path)


def _describe(node: Tree, difference: Difference) -> None:
    node.add(Text(difference.kind.replace("_", " "), style="italic"))
    for sign, tone, value in (("-", "red", difference.old), ("+", "green", difference.new)):
        text = value_text(value)
        if text is not None:
            node.add(Text(f"{sign} {clean(shortened(text, VALUE_MAX))}", style=tone))
