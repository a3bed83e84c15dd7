from __future__ import annotations

import io
import json

import pytest

from proxy.commands.output import clean, print_block, print_json, print_line, print_table
from tests.support_commands import Terminal

ROWS = [("plans", 10), ("everything-else", 0)]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain é 日本", "plain é 日本"),
        ("\x1b]0;owned\x07", "\ufffd]0;owned\ufffd"),
        ("a\nb", "a\ufffdb"),
        ("a\u202eb", "a\ufffdb"),
        ("\x9b31m", "\ufffd31m"),
    ],
)
def test_what_came_from_a_client_cannot_command_the_terminal(text: str, cleaned: str) -> None:
    """Escape sequences, newlines and writing directions are shown, not obeyed."""
    assert clean(text) == cleaned


def test_a_table_is_aligned_by_spaces_where_there_is_no_terminal() -> None:
    """Scripts and logs get plain text; numbers stand to the right."""
    stream = io.StringIO()
    print_table(stream, ("ROUTE", ">WEIGHT"), ROWS)
    assert stream.getvalue() == (
        "ROUTE            WEIGHT\nplans                10\neverything-else       0\n"
    )


def test_a_table_is_drawn_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """And values are not markup."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    print_table(stream, ("ROUTE", ">WEIGHT"), [("[red]plans[/red]", 10)])
    assert "\u2500" in stream.getvalue()
    assert "[red]plans[/red]" in stream.getvalue()


def test_what_does_not_fit_a_narrow_terminal_is_written_row_by_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No word is cut, and what is empty is left out."""
    monkeypatch.setenv("COLUMNS", "24")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    columns = ("ROUTE", ">COMPARED", "NOT COMPARED")
    print_table(
        stream, columns, [("plans", "0 of 1", "1 primary_unreachable"), ("b", "2 of 2", "")]
    )
    assert stream.getvalue().splitlines() == [
        "ROUTE         plans",
        "COMPARED      0 of 1",
        "NOT COMPARED  1 primary_unreachable",
        "",
        "ROUTE         b",
        "COMPARED      2 of 2",
    ]


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    """No colour reaches a terminal whose user does not want any."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    print_table(stream, ("ROUTE",), [("plans",)])
    assert "\x1b[3" not in stream.getvalue()


def test_json_is_ascii_and_reads_back() -> None:
    """No locale can break a script."""
    stream = io.StringIO()
    print_json(stream, {"name": "Größe"})
    assert stream.getvalue().isascii()
    assert json.loads(stream.getvalue()) == {"name": "Größe"}


def test_a_block_keeps_its_lines_and_a_line_does_not() -> None:
    """A document has several lines; a reason has one."""
    stream = io.StringIO()
    print_block(stream, "a\n\tb\x1b")
    print_line(stream, "c\nd")
    assert stream.getvalue() == "a\n\tb\ufffd\nc\ufffdd\n"
