import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.report.sidebyside import LINES_MAX, Row, side_by_side


def shown(rows: tuple[Row, ...]) -> list[tuple[str, str, str]]:
    """Kind and texts of every row that is not equal."""
    return [
        (
            row.kind,
            row.left.text.strip() if row.left else "",
            row.right.text.strip() if row.right else "",
        )
        for row in rows
        if row.kind not in ("equal", "fold")
    ]


@pytest.mark.parametrize(
    ("path", "left", "right"),
    [
        ("$.price", {"price": 1, "name": "a"}, {"price": 2, "name": "a"}),
        (
            "$.data[1].price",
            {"data": [{"price": 0}, {"price": 1}]},
            {"data": [{"price": 0}, {"price": 2}]},
        ),
        ("$.data[*].price", {"data": [{"price": 1}]}, {"data": [{"price": 2}]}),
        ("$['odd name']", {"odd name": 1}, {"odd name": 2}),
        ("$", [1], [2]),
    ],
)
def test_the_line_at_a_differing_path_is_marked(path: str, left: object, right: object) -> None:
    """Members, indexes, any index, quoted names and the root are found."""
    marked = shown(side_by_side(json.dumps(left), json.dumps(right), [path], whole=True).rows)
    assert [kind for kind, _, _ in marked] == ["different"]


def test_an_element_named_by_key_is_found_on_each_side() -> None:
    """`[id=2]` is the element with that id, wherever it stands."""
    left = '[{"id":1,"v":1},{"id":2,"v":1}]'
    right = '[{"id":2,"v":9},{"id":1,"v":1}]'
    marked = shown(side_by_side(left, right, ["$[id=2].v"], whole=True).rows)
    assert ("different", "", '"v": 9') in marked or ("different", '"v": 1', '"v": 9') in marked


def test_spelling_is_told_apart_from_difference() -> None:
    """What differs in characters but not under the rules is shown more quietly."""
    left, right = '{"price":"9.90","total":1}', '{"price":9.9,"total":2}'
    assert shown(side_by_side(left, right, ["$.total"], whole=True).rows) == [
        ("spelling", '"price": "9.90",', '"price": 9.9,'),
        ("different", '"total": 1', '"total": 2'),
    ]


def test_numbers_are_shown_as_they_were_written() -> None:
    """Trailing zeros and many digits survive the layout."""
    rows = side_by_side('{"a":9.90,"b":1e400}', '{"a":9.90,"b":1e400}', [], whole=True).rows
    assert [row.left.text for row in rows if row.left] == ["{", '  "a": 9.90,', '  "b": 1e400', "}"]


def test_a_missing_member_faces_nothing() -> None:
    """A member that one side lacks has an empty cell opposite, and shifts nothing."""
    marked = shown(side_by_side('{"a":1,"b":2}', '{"a":1}', ["$.b"], whole=True).rows)
    assert marked == [("different", '"b": 2', "")]


def test_everything_below_a_differing_path_is_marked() -> None:
    """A whole object that is missing is one block."""
    marked = shown(side_by_side('{"a":{"b":{"c":1}}}', '{"a":{}}', ["$.a.b"], whole=True).rows)
    assert ("different", '"c": 1', "") in marked


def test_text_is_compared_line_by_line() -> None:
    """Bodies that are not JSON are aligned as text, and each unequal line is a difference."""
    rows = side_by_side("one\ntwo\nthree", "one\n2\nthree\nfour", ["$"], whole=True).rows
    assert shown(rows) == [("different", "two", "2"), ("different", "", "four")]


def test_equal_lines_far_from_a_difference_are_folded() -> None:
    """Three lines of context stay; the rest is counted."""
    left = json.dumps(list(range(100)))
    right = json.dumps([*range(99), -1])
    rows = side_by_side(left, right, ["$[99]"], whole=False).rows
    assert (rows[0].kind, rows[0].folded) == ("fold", 97)
    assert {row.kind for row in rows[0].inside} == {"equal"}
    assert len(rows) < 10


def test_long_answers_are_cut_and_say_so() -> None:
    """Alignment is bounded however long the bodies are."""
    long = json.dumps(list(range(5 * LINES_MAX)))
    arranged = side_by_side(long, long, [], whole=True)
    assert arranged.cut
    assert len(arranged.rows) == LINES_MAX


@pytest.mark.parametrize(
    "body", ["[" * 5_000 + "]" * 5_000, "[" * 200 + "]" * 200, "{", "\ud800", ""]
)
def test_a_hostile_body_is_shown_as_text(body: str) -> None:
    """Deep nesting, broken JSON and lone surrogates do not break the page."""
    assert side_by_side(body, "[]", ["$"], whole=False).rows


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
def test_an_answer_equals_itself(value: object) -> None:
    """Whatever the value, an answer compared with itself has nothing but equal rows."""
    body = json.dumps(value)
    assert shown(side_by_side(body, body, ["$"], whole=True).rows) == []


@given(st.text(max_size=40))
def test_any_path_is_read_without_an_error(path: str) -> None:
    """A path that leads nowhere marks nothing."""
    assert side_by_side('{"a":[1]}', '{"a":[2]}', [path], whole=True).rows
