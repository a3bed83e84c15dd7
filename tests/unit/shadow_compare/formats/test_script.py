from __future__ import annotations

from time import process_time

import pytest

from shadow_compare.formats.script import taken_apart
from tests.support_formats import told


@pytest.mark.parametrize(
    ("script", "data", "rest"),
    [
        ('var A={"x":1};f()', {"A": {"x": 1}}, "var A=;f()"),
        ("const a = [1, 2]; let b = 'x'", {"a": [1, 2]}, "const a = ; let b = 'x'"),
        ('window.S = {"t":"}"}\nA.b="c"', {"S": {"t": "}"}, "A.b": "c"}, "window.S = \nA.b="),
        ("a={b:1}", {}, "a={b:1}"),
        ("a=1;a=2", {"a": 1}, "a=;a=2"),
        ("if (a == 1) b=-2.50;", {"b": -2.5}, "if (a == 1) b=;"),
        ("x=[" * 3, {}, "x=[x=[x=["),
    ],
)
def test_literals_are_taken_out_by_the_name_they_are_assigned_to(
    script: str, data: dict[str, object], rest: str
) -> None:
    """JSON literals, nothing else; the first of a name."""
    assert taken_apart(script) == (data, rest)


def test_data_elements_are_compared_as_json() -> None:
    """An element of another type than a script holds JSON; broken JSON is compared by lines."""
    page = '<script type="application/ld+json" id="{}">{}</script>'
    old = page.format("d", '{"name": "A", "ids": [1, 2]}')
    assert told(old, page.format("d", '{"ids":[1,2],"name":"A"}')) == []
    assert told(old, page.format("d", '{"ids":[1,2],"name":"B"}')) == [
        "value_changed html.script[#d].name"
    ]
    assert told(page.format("d", "{a"), page.format("d", "{b")) == [
        "value_changed html.script[#d][0]"
    ]


@pytest.mark.parametrize("piece", ["a=[", 'a="', 'a={"":', "var ", "a.", "a = ", "[[["])
def test_time_grows_with_the_size_alone(piece: str) -> None:
    """A quarter of a million characters of hostile script take less than two seconds."""
    started = process_time()
    taken_apart(piece * (250_000 // len(piece)))
    assert process_time() - started < 2.0
