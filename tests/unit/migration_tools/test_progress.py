import io

from rich.console import Console

from migration_tools.progress import Bars, Lines


def test_lines_tell_rate_and_time_left() -> None:
    """Without a terminal there is a line every few seconds, with rate and time left."""
    out, now = io.StringIO(), 100.0
    lines = Lines(out, lambda: now)
    lines.begin("users", 3000)
    now = 102.0
    lines.advance(500)  # too soon for a line
    now = 105.0
    lines.advance(500)
    lines.settle()
    now = 110.0
    lines.end()
    assert out.getvalue().splitlines() == [
        "users: 3,000 rows",
        "users: 1,000 of 3,000, 200 rows/s, 10 s left",
        "users: read, checking parents and moving into place",
        "users: done, 100 rows/s",
    ]


def test_bars_show_every_table() -> None:
    """On a terminal each table has a bar that ends full."""
    out = io.StringIO()
    with Bars(Console(file=out, force_terminal=True, width=120)) as bars:
        for table in ("users", "subscription_plans"):
            bars.begin(table, 4)
            bars.advance(4)
            bars.settle()
            bars.end()
    shown = out.getvalue()
    assert "subscription_plans" in shown
    assert "4/4" in shown
