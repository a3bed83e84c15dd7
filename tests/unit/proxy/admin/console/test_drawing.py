from __future__ import annotations

import pytest

from proxy.admin.console.drawing import (
    BOUNDS,
    FIGURES,
    draw,
    draw_latencies,
    draw_share,
    shown_figure,
    sizes,
    table,
)
from proxy.admin.series import RANGES, Series, with_gaps
from tests.support_series import minute

NOW = 6000.0


@pytest.fixture
def series() -> Series:
    """Three minutes of a route, of which one is missing."""
    minutes = [minute("plans", at, 1000) for at in (NOW - 180, NOW - 120, NOW)]
    return Series("plans", RANGES["15m"], NOW, tuple(with_gaps(minutes, 60.0)))


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_each_figure_has_a_line_for_each_side(series: Series, figure: object) -> None:
    """Both broken where the minute is missing."""
    found = draw(series, figure)  # type: ignore[arg-type]
    assert [line.name for line in found.lines] == ["legacy", "modern"]
    assert [len(line.runs) for line in found.lines] == [2, 2]


def test_the_table_says_what_the_chart_shows(series: Series) -> None:
    """Newest first, without the gap; sizes are of both sides."""
    rows = table(series)
    assert [row.at for row in rows] == [NOW, NOW - 120, NOW - 180]
    legacy, modern = sizes(series)
    assert legacy == sum(row.legacy.ok + row.legacy.bad for row in rows)
    assert modern == sum(row.modern.ok + row.modern.bad for row in rows)
    per_second, errors, p95 = rows[0].figures
    assert per_second[0] == (rows[0].legacy.ok + rows[0].legacy.bad) / 60.0
    assert errors[0] == rows[0].legacy.bad / (rows[0].legacy.ok + rows[0].legacy.bad)
    assert p95[1] is not None


def test_latencies_and_shares_are_drawn(series: Series) -> None:
    """Every answer that was timed is in a bar; the share has a line of its own."""
    found = draw_latencies(series)
    timed = sum(sum(each.legacy.latencies.values()) for each in series.intervals)
    assert sum(bar.counts[0] for bar in found.bars) == timed
    assert [line.name for line in draw_share(series).lines] == ["modern"]
    assert draw_share(Series("", RANGES["26w"], NOW, ())).is_empty


def test_bounds_rise_and_an_unknown_figure_is_the_first() -> None:
    """An address may say anything."""
    assert list(BOUNDS) == sorted(set(BOUNDS))
    assert shown_figure("<script>") is shown_figure(None) is FIGURES["requests"]
