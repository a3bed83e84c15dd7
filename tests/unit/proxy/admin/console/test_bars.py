from proxy.admin.console.bars import HOUR, bars
from shadow_compare.report import Occurrences

NOW = 100 * HOUR + 1_800.0


def test_the_newest_hour_stands_at_the_right_and_the_tallest_fills_the_chart() -> None:
    """Heights are counts on one scale from zero; what is older than the chart is left out."""
    seen = [Occurrences(100 * HOUR, 4), Occurrences(99 * HOUR, 2), Occurrences(70 * HOUR, 50)]
    chart = bars(seen, NOW, hours=24, width=240, height=20)
    assert [(each.x, each.y, each.height) for each in chart.bars] == [
        (221.25, 10.0, 10.0), (231.25, 0.0, 20.0),
    ]  # fmt: skip
    assert (chart.most, chart.total) == (4, 6)


def test_once_among_thousands_can_be_seen() -> None:
    """A bar has at least a pixel and a half."""
    chart = bars([Occurrences(99 * HOUR, 1), Occurrences(100 * HOUR, 9_999)], NOW, hours=24)
    assert chart.bars[0].height == 1.5


def test_hours_add_up_to_longer_slots() -> None:
    """Two weeks are drawn in slots of six hours."""
    seen = [Occurrences((96 + n) * HOUR, 1) for n in range(5)]
    chart = bars(seen, NOW, hours=336, slot_hours=6)
    assert [each.count for each in chart.bars] == [5]
    assert chart.bars[0].at == 96 * HOUR


def test_nothing_seen_is_an_empty_chart() -> None:
    """No bars, and no division by zero."""
    assert bars([], NOW, hours=24).bars == ()
