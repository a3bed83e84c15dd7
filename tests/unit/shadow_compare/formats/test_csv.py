from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.formats.csv import read_csv
from shadow_compare.rules import CompareRules
from tests.support_formats import answer, compared, told

CSV = "text/csv; charset=utf-8"
SHOP = "id,name,price\r\n1,Apple,1.00\r\n2,Pear,2.00\r\n3,Plum,3.00\r\n"
BY_ID = CompareRules.build(arrays=[("csv.rows", "id")])


@pytest.mark.parametrize(
    ("body", "delimiter", "columns", "first"),
    [
        (SHOP, ",", ["id", "name", "price"], {"id": "1", "name": "Apple", "price": "1.00"}),
        ("a;b\n1,5;2\n", ";", ["a", "b"], {"a": "1,5", "b": "2"}),
        ("a\tb\n1\t2", "\t", ["a", "b"], {"a": "1", "b": "2"}),
        ("1,2\n3,4\n", ",", [], ["1", "2"]),
        ("a,a\n3,4\n", ",", [], ["a", "a"]),
        ('a,b\n"x, ""y""\nz",2\n', ",", ["a", "b"], {"a": 'x, "y"\nz', "b": "2"}),
        ("a,b\n1,2,3\n", ",", ["a", "b"], {"a": "1", "b": "2", "column 3": "3"}),
        ("a,b\n1\n", ",", ["a", "b"], {"a": "1"}),
    ],
)
def test_dialect_and_header_are_found(
    body: str, delimiter: str, columns: list[str], first: object
) -> None:
    """Four delimiters, quotes, with a heading record and without, ragged rows."""
    found = read_csv(body.encode(), answer(body, CSV))
    assert (found["delimiter"], found["columns"], found["rows"][0]) == (delimiter, columns, first)


@pytest.mark.parametrize(
    ("new", "rules", "expected"),
    [
        (SHOP.replace("\r\n", "\n"), CompareRules(), []),
        (SHOP.replace("2.00", '"2.00"'), CompareRules(), []),
        (SHOP.replace("2.00", "2.01"), CompareRules(), ["value_changed csv.rows[1].price"]),
        (SHOP.replace("2.00", "2.01"), BY_ID, ["value_changed csv.rows[id=2].price"]),
        (SHOP.replace("2,Pear,2.00\r\n", ""), CompareRules(),
         ["length_changed csv.rows[length]", "missing csv.rows[1]"]),
        ("name,id,price\nApple,1,1.00\nPear,2,2.00\nPlum,3,3.00\n", CompareRules(),
         ["reordered csv.columns[order]"]),
        (SHOP.replace(",", ";"), CompareRules(), ["value_changed csv.delimiter"]),
    ],
)  # fmt: skip
def test_rows_are_compared_by_column(new: str, rules: CompareRules, expected: list[str]) -> None:
    """A difference names its column, and its row by the key that the rules declare."""
    assert told(SHOP, new, CSV, rules) == expected


def test_cell_without_end_is_no_csv() -> None:
    """A quote that is never closed swallows the rest; beyond a limit that is told as a fault."""
    (found,) = compared(SHOP, 'a,b\n"' + "x" * 200_000, CSV).differences
    assert found.kind == "type_changed"
    assert "not CSV" in found.new


@given(st.lists(st.lists(st.text('ab",\n;', max_size=4), min_size=2, max_size=3), max_size=5))
def test_rows_equal_themselves_in_other_quotes(rows: list[list[str]]) -> None:
    """Quoted everywhere or only where needed, rows are the same."""
    bodies = []
    for quoting in (csv.QUOTE_ALL, csv.QUOTE_MINIMAL):
        out = io.StringIO()
        csv.writer(out, quoting=quoting).writerows([["h1", "h2"], ["x", "y"], *rows])
        bodies.append(out.getvalue())
    assert told(bodies[0], bodies[1], CSV) == []
