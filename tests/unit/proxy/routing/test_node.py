from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from proxy.routing.node import Node, Places, Problems


def read(value: Any, reader: Callable[[Node], Any]) -> tuple[Any, list[str]]:
    """Give what a reader makes of a value, and the problems it notes."""
    problems = Problems("f")
    found = reader(Node(value, problems, "here", 7, 3))
    return found, [str(problem) for problem in problems.found]


@pytest.mark.parametrize(
    ("text", "percent"),
    [("0%", 0), ("10%", 10), ("10 %", 10), ("0.5%", 0.5), ("0.29%", 0.29), ("100.00%", 100)],
)  # fmt: skip
def test_shares_are_read_exactly(text: str, percent: float) -> None:
    """As percent, as hundredths of a percent, and as a fraction."""
    assert read(text, Node.percent) == (percent, [])
    assert read(text, Node.weight) == (round(percent * 100), [])
    assert read(text, lambda n: n.rate(0.5)) == (pytest.approx(percent / 100), [])


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (10, "write `10%` if that is what you mean"),
        (0.5, "write `0.5%` if that is what you mean"),
        ("10", ""),
        ("%", ""),
        ("-1%", ""),
        ("+1%", ""),
        ("1e2%", ""),
        ("0.001%", ""),
        ("1_0%", ""),
        ("10%\n", ""),
        ("1000%", ""),
        ("\u0661\u0660%", ""),  # Arabic-Indic digits, which float() takes
        ("\uff11%", ""),
        (True, ""),
        (None, ""),
        ([], ""),
        ({}, ""),
    ],
)
def test_what_is_no_share_is_refused(value: Any, hint: str) -> None:
    """A number without its unit could mean anything; digits are ASCII."""
    found, (problem,) = read(value, lambda n: n.percent(3.0))
    assert found == 3.0
    assert "f:7:3: here: must be a share with its unit, such as 10% or 0.5%" in problem
    assert problem.endswith(hint)


def test_a_share_above_everything_is_refused() -> None:
    """There is no 101%."""
    assert read("100.01%", Node.percent) == (
        0.0,
        ["f:7:3: here: must lie between 0% and 100% (found: '100.01%')"],
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("500ms", 0.5), ("1.5s", 1.5), ("15 m", 900), ("1h", 3600), ("1d", 86400)],
)  # fmt: skip
def test_times_are_read_as_seconds(text: str, seconds: float) -> None:
    """Each unit by its usual sign."""
    assert read(text, lambda n: n.duration(9.0)) == (pytest.approx(seconds), [])


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (30, "must be a time with its unit: ms, s, m, h or d (found: 30)\n    write `30s`"),
        ("30", "must be a time with its unit"),
        ("-1s", "must be a time with its unit"),
        ("1 week", "must be a time with its unit"),
        ("1s ", "must be a time with its unit"),
        ("\u0661s", "must be a time with its unit"),
        (False, "must be a time with its unit"),
        (None, "must be a time with its unit"),
        (["1s"], "must be a time with its unit"),
        ("400d", "must lie between 0.1s and 366d"),
        ("999999999d", "must lie between 0.1s and 366d"),
        ("99ms", "must lie between 0.1s and 366d"),
    ],
)
def test_what_is_no_time_is_refused(value: Any, problem: str) -> None:
    """No timer of the event loop is asked to wait for a million years."""
    found, (said,) = read(value, lambda n: n.duration(9.0, 0.1))
    assert found == 9.0
    assert f"here: {problem}" in said


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0B", 0), ("17 B", 17), ("1KB", 1000), ("1KiB", 1024), ("10MB", 10**7),
        ("1.5MiB", 1_572_864), ("2GB", 2 * 10**9), ("1 GiB", 2**30), ("0.001KB", 1),
    ],
)  # fmt: skip
def test_sizes_are_read_as_bytes(text: str, size: int) -> None:
    """Thousands without an `i`, and powers of two with it (IEC 80000-13)."""
    assert read(text, lambda n: n.size(9)) == (size, [])


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (10, "(found: 10)\n    write `10B` if you mean bytes"),
        ("10mb", "(found: '10mb')\n    did you mean `MB`?"),
        ("10 mib", "(found: '10 mib')\n    did you mean `MiB`?"),
        ("10M", "(found: '10M')"),
        ("10", "(found: '10')"),
        ("-1B", "(found: '-1B')"),
        ("1_0B", "(found: '1_0B')"),
        ("\u0661B", "(found"),
        ("1e3B", "(found: '1e3B')"),
        (True, "(found: True)"),
        (1.5, "(found: 1.5)"),
        (None, "(found: None)"),
        ({}, ""),
        ("9" * 1_000_000 + "B", "(found"),
    ],
)
def test_what_is_no_size_is_refused(value: Any, problem: str) -> None:
    """A bare number could be anything, and `m` has been a thousandth before."""
    found, (said,) = read(value, lambda n: n.size(9))
    assert found == 9
    expected = "here: must be a size with its unit: B, KB, MB, GB, KiB, MiB or GiB"
    assert f"{expected} {problem}".strip() in said


def test_sizes_have_bounds() -> None:
    """Both are said."""
    for text in ("1B", "1GB"):
        found, (said,) = read(text, lambda n: n.size(9, 2, 1000))
        assert found == 9
        assert "must lie between 2 and 1000 bytes" in said


@pytest.mark.parametrize(
    ("text", "often"),
    [("500/s", 500.0), ("30/m", 0.5), ("3600 / h", 1.0), ("1/h", 1 / 3600), ("1000000/s", 1e6)],
)
def test_frequencies_are_read_as_times_a_second(text: str, often: float) -> None:
    """A number and a unit of time."""
    assert read(text, lambda n: n.frequency(9.0)) == (pytest.approx(often), [])


@pytest.mark.parametrize(
    "value",
    [20, 1.5, "20", "20/", "/s", "-1/s", "1.5/s", "20/S", "20/d", "20/ms", "20/s ", "20 per second",
     "\u0661/s", True, None, [], "0/s", "1000001/s", "9999999999/s"],
)  # fmt: skip
def test_what_is_no_frequency_is_refused(value: Any) -> None:
    """Nothing is never allowed by a rate of 0: that is what no route at all says."""
    found, (said,) = read(value, lambda n: n.frequency(9.0))
    assert found == 9.0
    assert "here: must " in said


@pytest.mark.parametrize(("value", "valid"), [
    (1, True), (5, True), (10, True), (0, False), (11, False), (-1, False), (True, False),
    (2.0, False), ("5", False), (None, False), ([5], False),
])  # fmt: skip
def test_counts_are_whole_numbers_within_bounds(value: Any, valid: bool) -> None:
    """True is no number, and neither is a text."""
    found, problems = read(value, lambda n: n.count(7, 1, 10))
    assert (found == value, not problems) == (valid, valid)
    assert valid or found == 7


@pytest.mark.parametrize("value", [1, 0, "true", "yes", None, [], {}])
def test_flags_are_true_or_false(value: Any) -> None:
    """Nothing else counts as either."""
    found, problems = read(value, lambda n: n.flag(True))
    assert found is True
    assert problems
    assert read(False, lambda n: n.flag(True)) == (False, [])


@pytest.mark.parametrize("value", ["", "  ", None, 5, 1.5, True, [], {}])
def test_texts_are_not_empty(value: Any) -> None:
    """A key without a value has been forgotten."""
    found, problems = read(value, lambda n: n.text("default"))
    assert (found, len(problems)) == ("default", 1)
    assert read(" x ", Node.text) == (" x ", [])


@pytest.mark.parametrize(("value", "valid"), [
    ("a", True), ("A.b_c-9", True), ("9", True), ("x" * 100, True),
    ("x" * 101, False), ("", False), ("-a", False), (".a", False), ("a b", False), ("a\n", False),
    ("é", False), ("aé", False), ("a/b", False), (5, False), (None, False), (["a"], False),
])  # fmt: skip
def test_names_are_plain(value: Any, valid: bool) -> None:
    """They stand in fields of HTTP and labels of metrics, so they are ASCII."""
    found, problems = read(value, lambda n: n.name("a route id"))
    assert (found, not problems) == (value if valid else "", valid)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("rolback", "did you mean `rollback`?"),
        ("zzz", ""),
        ("Freeze", "did you mean `freeze`?"),
        (None, ""),
        (5, ""),
        (["rollback"], ""),
        ({}, ""),
        ("x" * 1_000_000, ""),
    ],
)
def test_words_are_those_of_the_list(value: Any, hint: str) -> None:
    """A near miss is told what it may have meant."""
    found, (problem,) = read(value, lambda n: n.one_of(("rollback", "freeze"), "freeze"))
    assert found == "freeze"
    assert "must be one of rollback, freeze" in problem
    assert problem.endswith(hint)
    assert read("rollback", lambda n: n.one_of(("rollback", "freeze"), "")) == ("rollback", [])


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2027-03-01", dt.date(2027, 3, 1)),
        ("20270301", None),
        ("2027-W09-1", None),
        ("2027-13-01", None),
        ("2027-03-01 10:00:00", None),
        ("tomorrow", None),
        (20270301, None),
        (None, None),
        ([], None),
    ],
)
def test_days_are_dates_without_a_time(value: Any, day: dt.date | None) -> None:
    """A moment is no day, as midnight is another moment elsewhere."""
    found, problems = read(value, Node.day)
    assert (found, not problems) == (day, day is not None)


@pytest.mark.parametrize("value", [None, 5, "text", [1]])
def test_what_is_no_mapping_has_no_members(value: Any) -> None:
    """One problem is enough: missing keys are not listed too."""
    members, problems = read(value, lambda n: n.mapping(("a",), required=("a",)))
    assert list(members) == []
    assert len(problems) == 1
    assert "must be a mapping of keys to values" in problems[0]


@pytest.mark.parametrize("value", [None, 5, "text", {"a": 1}])
def test_what_is_no_list_has_no_items(value: Any) -> None:
    """It is said how a list is written."""
    items, (problem,) = read(value, lambda n: list(n.items()))
    assert items == []
    assert problem.endswith("write it as `[a, b]` or one `- a` a line")


def test_unknown_keys_are_told_the_nearest_known_one() -> None:
    """Or all of them, when none is near."""
    _, near = read({"wieght": 1}, lambda n: n.mapping(("weight", "hold")))
    _, far = read({"zzz": 1}, lambda n: n.mapping(("weight", "hold")))
    assert near == ["f:7:3: here.wieght: unknown key (found: wieght)\n    did you mean `weight`?"]
    assert far == ["f:7:3: here.zzz: unknown key (found: zzz)\n    known keys: weight, hold"]


def test_members_are_read_by_name() -> None:
    """An absent one gives the default, without a problem."""
    members, problems = read({"a": "x"}, lambda n: n.mapping(None))
    assert not problems
    assert "a" in members
    assert members.get("b") is None
    assert members.read("a", Node.text, "default") == "x"
    assert members.read("b", Node.text, "default") == "default"
    assert [key for key, _ in members] == ["a"]


def test_a_node_knows_its_path_and_its_place() -> None:
    """Where no place was noted, the container's own is near enough."""
    problems = Problems("f")
    value = {"routes": [{"id": ""}]}
    problems.places.note(value, "routes", 3, 1)
    problems.places.note(value["routes"], 0, 4, 5)
    node = Node(value, problems)
    for item in node.mapping().read("routes", lambda n: list(n.items()), []):
        item.mapping().read("id", Node.text, "")
    assert [str(problem) for problem in problems.found] == [
        "f:4:5: routes[0].id: must be a text (found: '')"
    ]


def test_a_problem_at_the_top_has_no_path() -> None:
    """The whole document is wrong."""
    problems = Problems("f")
    Node("x", problems).mapping()
    assert str(problems.found[0]).startswith("f:1:1: must be a mapping")


def test_what_is_shown_is_short() -> None:
    """A megabyte in the wrong place does not fill the screen."""
    _, (problem,) = read("x" * 1_000_000, lambda n: n.flag(True))
    assert len(problem) < 200
    _, (problem,) = read({"k" * 1_000_000: 1}, lambda n: n.mapping(("a",)))
    assert len(problem) < 300


def test_equal_containers_stand_in_different_places() -> None:
    """Places go by identity, not by value."""
    places, one, other = Places(), ["x"], ["x"]
    places.note(one, 0, 1, 1)
    places.note(other, 0, 2, 2)
    assert (places.of(one, 0), places.of(other, 0)) == ((1, 1), (2, 2))
    places.copy(["unknown"], one)
    assert places.of(one, 0) == (1, 1)


@pytest.mark.parametrize(
    ("text", "much"),
    [("1MB/s", 1e6), ("60 KiB / m", 1024.0), ("1.5GB/h", 1.5e9 / 3600), ("1B/s", 1.0)],
)
def test_bandwidths_are_read_as_bytes_a_second(text: str, much: float) -> None:
    """A size, and a unit of time."""
    assert read(text, lambda n: n.bandwidth(9.0)) == (pytest.approx(much), [])


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("1MB", "1MB/s, 500KiB/s or 1GB/h (found: '1MB')\n    write `1MB/s`"),
        ("1/s", "must be a size and a unit of time"),
        ("1MB/d", "must be a size and a unit of time"),
        ("-1MB/s", "must be a size and a unit of time"),
        (5, "must be a size and a unit of time"),
        (None, "must be a size and a unit of time"),
        ("0MB/s", "must lie between 1B and 1000GB a second"),
        ("1B/h", "must lie between 1B and 1000GB a second"),
        ("999999GB/s", "must lie between 1B and 1000GB a second"),
    ],
)
def test_what_is_no_bandwidth_is_refused(value: Any, problem: str) -> None:
    """With what to write instead."""
    found, (said,) = read(value, lambda n: n.bandwidth(9.0))
    assert found == 9.0
    assert problem in said
