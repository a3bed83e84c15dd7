from proxy.admin.console.sparkline import PAD, sparkline


def test_values_are_drawn_from_the_right_edge() -> None:
    """A short history ends at the newest slot and leaves the older ones empty."""
    chart = sparkline({"modern": [1.0, 2.0]}, slots=5, width=43, height=23)
    assert chart.traces[0].lines == ("31.5,11.5 41.5,1.5",)
    assert chart.traces[0].last == (43 - PAD, PAD)


def test_a_gap_stays_a_gap() -> None:
    """Where nothing was measured the line is broken, not drawn at zero."""
    chart = sparkline({"legacy": [1.0, 1.0, None, 1.0, None]}, slots=5)
    assert len(chart.traces[0].lines) == 2
    assert chart.traces[0].last is None
    assert chart.traces[0].high == 1.0


def test_both_sides_share_one_scale() -> None:
    """The higher side reaches the top, the other is drawn in proportion."""
    chart = sparkline({"legacy": [4.0], "modern": [1.0]}, slots=2, height=43)
    assert chart.top == 4.0
    assert [trace.last and trace.last[1] for trace in chart.traces] == [1.5, 31.5]


def test_noise_stays_small() -> None:
    """A value far below the least top of the scale is drawn near the bottom."""
    chart = sparkline({"modern": [0.001]}, slots=2, height=43, least_top=0.02)
    assert chart.top == 0.02
    assert chart.traces[0].last is not None
    assert chart.traces[0].last[1] > 39


def test_nothing_measured_is_an_empty_chart() -> None:
    """Without values there is no line and no division by zero."""
    chart = sparkline({"legacy": [], "modern": [None, None]}, slots=60)
    assert chart.is_empty
    assert chart.top == 1.0


def test_zeros_are_drawn_at_the_bottom() -> None:
    """A measured zero is a line, unlike nothing."""
    chart = sparkline({"legacy": [0.0, 0.0]}, slots=2, height=30)
    assert not chart.is_empty
    assert chart.traces[0].last == (86.5, 30 - PAD)
