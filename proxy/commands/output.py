"""What commands print: tables and sentences for people, JSON for scripts."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TextIO

RIGHT = ">"
"""A column whose heading begins with this holds numbers, and is set to the right."""

_BETWEEN = 3
"""Columns between two columns of a table that is drawn."""

_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def clean(text: object, keep: str = "") -> str:
    """Write a value so that it cannot command the terminal: unseen characters are replaced.

    Paths, bodies and reasons come from clients. An escape sequence among them could rename the
    window, hide lines, or on some terminals type.
    """
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(char) in _UNSEEN and char not in keep
        else char
        for char in str(text)
    )


def print_json(stream: TextIO, value: Any) -> None:
    """Print one JSON value; ASCII only, so that no locale can break it."""
    print(json.dumps(value, indent=2), file=stream)


def print_line(stream: TextIO, text: str = "") -> None:
    """Print one line, cleaned."""
    print(clean(text), file=stream)


def print_block(stream: TextIO, text: str) -> None:
    """Print text of several lines, cleaned."""
    print(clean(text, keep="\n\t"), file=stream)


def print_table(
    stream: TextIO,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    red: Callable[[Sequence[str]], bool] = lambda _: False,
) -> None:
    """Print a table: drawn on a terminal, aligned by spaces everywhere else.

    Rows that are `red` are so on a terminal that has colours; NO_COLOR is heeded.
    """
    cells = [[clean(cell) for cell in row] for row in rows]
    if stream.isatty():
        _draw(stream, columns, cells, red)
        return
    heads = [column.removeprefix(RIGHT) for column in columns]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    for row in [heads, *cells]:
        aligned = (
            cell.rjust(width) if column.startswith(RIGHT) else cell.ljust(width)
            for cell, width, column in zip(row, widths, columns, strict=True)
        )
        print_line(stream, "  ".join(aligned).rstrip())


def _draw(
    stream: TextIO,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    red: Callable[[Sequence[str]], bool],
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=stream)
    if _least_width(columns, rows) > console.width:
        for place, block in enumerate(_blocks(columns, rows)):
            if place:
                console.print()
            style = "bold red" if red(rows[place]) else ""
            console.print(Text(block, style), soft_wrap=True)
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        right = column.startswith(RIGHT)
        table.add_column(column.removeprefix(RIGHT), justify="right" if right else "left")
    for row in rows:
        texts = (Text(cell) for cell in row)  # brackets of a value are not markup
        table.add_row(*texts, style="bold red" if red(row) else None)
    console.print(table)


def _least_width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Give how wide a table is at least when no word of it is cut."""
    cells = zip(columns, *rows, strict=True)
    longest = (
        max(len(word) for cell in column for word in cell.split() or [""]) for column in cells
    )
    return sum(longest) + _BETWEEN * (len(columns) - 1)


def _blocks(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Give each row as lines of heading and value, for a terminal that is too narrow."""
    heads = [column.removeprefix(RIGHT) for column in columns]
    width = max(map(len, heads))
    for row in rows:
        told = zip(heads, row, strict=True)
        yield "\n".join(f"{head.ljust(width)}  {cell}" for head, cell in told if cell)
