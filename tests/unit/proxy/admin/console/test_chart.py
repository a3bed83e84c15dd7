from __future__ import annotations

import pytest

from proxy.admin.console import wording
from proxy.admin.console.chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Chart,
    chart,
    histogram,
    scale,
)
from proxy.admin.marks import Mark


def drawn(
    values: list[float | None], *marks: Mark, bound: float | None = None, least_top: float = 1.0
) -> Chart:
    """Draw one series over an hour, a value every so many seconds."""
    times = [3600.0 * n / max(len(values) - 1, 1) for n in range(len(values))]
    return chart(
        times,
        {"modern": values},
        since=0.0,
        until=3600.0,
        spell=wording.rate,
        least_top=least_top,
        marks=marks,
        bound=bound,
    )


def test_a_line_goes_from_edge_to_edge_and_from_zero() -> None:
    """The first value at the left, the last at the right, zero at the bottom, four at the top."""
    (line,) = drawn([0.0, 4.0]).lines
    assert line.runs == (f"{LEFT},{HEIGHT - BOTTOM} {WIDTH - RIGHT},{TOP}",)


def test_what_was_not_measured_breaks_the_line() -> None:
    """A gap is no zero, and a lonely value is still to be seen."""
    (line,) = drawn([1.0, 2.0, None, 3.0, None]).lines
    assert len(line.runs) == 2
    assert [len(run.split()) for run in line.runs] == [2, 2]
    assert drawn([None, None]).is_empty
    assert not drawn([None, 1.0]).is_empty


@pytest.mark.parametrize(
    ("most", "step", "top"),
    [
        (0.0, 1.0, 1.0), (1.0, 0.25, 1.0), (0.02, 0.005, 0.02), (23.0, 10.0, 30.0),
        (24.1, 10.0, 30.0), (8.1, 2.5, 10.0), (4.0, 1.0, 4.0), (0.31, 0.1, 0.4),
    ],
)  # fmt: skip
def test_scales_are_round(most: float, step: float, top: float) -> None:
    """Two to five steps of a number that people count in."""
    assert scale(most) == pytest.approx((step, top))


def test_axes_carry_units_and_times() -> None:
    """Both in words, none of them outside."""
    found = drawn([0.0, 4.0])
    assert [tick.text for tick in found.up] == ["0", "1.0/s", "2.0/s", "3.0/s", "4.0/s"]
    assert [tick.text for tick in found.across][:3] == ["00:00", "00:15", "00:30"]
    assert all(LEFT <= tick.at <= WIDTH - RIGHT for tick in found.across)


def test_a_limit_is_always_on_the_scale() -> None:
    """However far below it everything stays."""
    found = drawn([0.01, 0.02], bound=8.0)
    assert found.bound is not None
    assert TOP <= found.bound < HEIGHT - BOTTOM


def test_labels_of_marks_do_not_lie_over_each_other() -> None:
    """A step is named before the document that it made; the line is there for both."""
    found = drawn(
        [1.0, 1.0],
        Mark(1800.0, "rules", "rules 18", 1),
        Mark(1801.0, "step", "25%", 2),
        Mark(3599.0, "rollback", "rolled back", 3),
    )
    assert {(flag.kind, flag.label) for flag in found.flags} == {
        ("step", "25%"),
        ("rules", None),
        ("rollback", "rolled back"),
    }
    late = next(flag for flag in found.flags if flag.kind == "rollback")
    assert late.anchor == "end"


def test_latencies_are_drawn_as_shares_of_each_side() -> None:
    """Ten answers of one side are as high as a thousand of the other, when all took as long."""
    found = histogram([0.01, 0.1, 1.0], [0, 10, 0, 0], [0, 500, 500, 0], wording.latency)
    assert [bar.counts for bar in found.bars] == [(10, 500), (0, 500)]
    assert found.bars[0].legacy == pytest.approx(2 * found.bars[0].modern, abs=0.2)
    assert found.bars[0].text == "up to 100 ms"
    assert found.totals == (10, 1000)
    assert histogram([1.0], [0, 0], [0, 0], wording.latency).bars == ()
    assert histogram([1.0], [0, 1], [0, 0], wording.latency).bars[0].text == "above 1.00 s"
