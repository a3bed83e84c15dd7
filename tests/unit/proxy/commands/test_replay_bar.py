from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.commands.replay_bar import Counts, Lines, Speed, Standing, bar_for, bar_line

AT_WORK = Standing(Counts(1204, 3), 0.12, 120.4, 130.0)


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (20, " 12%  1,204 done, 3 "),
        (30, " 12%  1,204 done, 3 differ"),
        (40, "#------------  12%  1,204 done, 3 differ"),
        (60, "#-------------  12%  1,204 done, 3 differ  120/s  2 min left"),
        (80, "####" + "-" * 30 + "  12%  1,204 done, 3 differ  120/s  2 min left"),
        (120, "####" + "-" * 36 + "  12%  1,204 done, 3 differ  120/s  2 min left"),
    ],
)
def test_what_matters_least_is_left_out_first(width: int, expected: str) -> None:
    """The counts always stand; then come the bar, the time left, and the speed."""
    assert bar_line(AT_WORK, width, ascii_only=True).plain == expected


def test_the_bar_shows_the_share() -> None:
    """As far as it goes; on a terminal without such characters too."""
    half = bar_line(Standing(Counts(1, 0), 0.5), 80)
    assert half.plain.startswith("\N{BOX DRAWINGS HEAVY HORIZONTAL}" * 40 + "  50%")
    assert bar_line(Standing(Counts(1, 0), 0.5), 80, ascii_only=True).plain.startswith(
        "#" * 20 + "-" * 20
    )


@given(
    st.integers(1, 300),
    st.floats(0, 1),
    st.integers(0, 10**9),
    st.one_of(st.none(), st.floats(0, 1e6)),
    st.one_of(st.none(), st.floats(0, 1e7)),
)
def test_no_line_is_wider_than_the_terminal(
    width: int, share: float, done: int, speed: float | None, left: float | None
) -> None:
    """However narrow that is, and however much there is to say."""
    line = bar_line(Standing(Counts(done, done // 3), share, speed, left), width)
    assert line.cell_len <= width
    assert "\n" not in line.plain


def test_speed_is_that_of_the_last_seconds() -> None:
    """What was skipped after a kill, in no time, says nothing of what is left."""
    speed = Speed(1000)
    assert speed.standing(0.0, 0, Counts()) == Standing(Counts(), 0.0)
    assert speed.standing(0.5, 500, Counts()).left is None
    for second in range(1, 40):
        found = speed.standing(float(second), 500 + 10 * second, Counts(20 * second))
    assert found.per_second == pytest.approx(20.0)
    assert found.left == pytest.approx(11.0)


def test_nothing_to_read_is_all_of_it() -> None:
    """An empty file is at its end; one that stands still has no time left to tell."""
    assert Speed(0).standing(0.0, 0, Counts()).share == 1.0
    stuck = Speed(100)
    stuck.standing(0.0, 10, Counts())
    assert stuck.standing(5.0, 10, Counts()).left is None


def test_a_log_gets_a_line_now_and_then() -> None:
    """Where nobody looks, nothing is drawn."""
    stream, now = io.StringIO(), [0.0]
    bar = bar_for(stream, 200, lambda: now[0])
    assert isinstance(bar, Lines)
    with bar:
        for second in range(25):
            now[0] = float(second)
            bar.move(4 * second, Counts(second, 1))
    assert stream.getvalue().splitlines() == [
        "cutover: 20% read; 10 done, 1 differ; 40 s left",
        "cutover: 40% read; 20 done, 1 differ; 30 s left",
    ]
