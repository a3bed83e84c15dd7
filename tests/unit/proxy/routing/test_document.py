from __future__ import annotations

import datetime as dt
import json
import string
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.errors import RulesError
from proxy.routing.document import DEPTH_MAX, SIZE_MAX, VALUES_MAX, read_document
from proxy.routing.node import Problems


def read(text: str) -> Any:
    """Read a text that has no problems."""
    problems = Problems("f")
    value = read_document(text, problems)
    assert not problems.found
    return value


def complaints(text: str) -> list[str]:
    """Give every problem of a text, fatal or not."""
    problems = Problems("f")
    with suppress(RulesError):
        read_document(text, problems)
    return [str(problem).splitlines()[0] for problem in problems.found]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# only a comment\n", None),
        ("---\n...\n", None),
        ("a", "a"),
        ("~", None),
        ("[null, Null, NULL, ~, ]", [None, None, None, None]),
        ("{a: }", {"a": None}),
        ("[true, True, FALSE]", [True, True, False]),
        ("[yes, no, on, off, y]", ["yes", "no", "on", "off", "y"]),
        ("[0, -1, +17, 007]", [0, -1, 17, 7]),
        ("[1.5, -.5, 2.]", [1.5, -0.5, 2.0]),
        ("[0x1f, 0o17, 1_000, 1e3, .inf, .nan]", ["0x1f", "0o17", "1_000", "1e3", ".inf", ".nan"]),
        ("9999999999999999999999", "9999999999999999999999"),
        ("[10%, 2s, 15m]", ["10%", "2s", "15m"]),
        ("[2027-03-01, 2027-03-01 10:00:00]", ["2027-03-01", "2027-03-01 10:00:00"]),
        ('["1", \'true\', "~"]', ["1", "true", "~"]),
        ("a: |\n  x\n  y\n", {"a": "x\ny\n"}),
        ("a: >\n  x\n  y\n", {"a": "x y\n"}),
        ('"\\u00e9\\n"', "é\n"),
        ("[!!str 5, !!int 5, !!float 1.5]", ["5", 5, 1.5]),
        ("[!!bool true, !!null ~, ! 5]", [True, None, "5"]),
        ("!!map {a: !!seq [b]}", {"a": ["b"]}),
        ("%YAML 1.1\n---\na: yes\n", {"a": "yes"}),
        ("\ufeffa: b", {"a": "b"}),
        ("a: b\r\nc: d\r\n", {"a": "b", "c": "d"}),
        ("{a: &x [1], b: *x}", {"a": [1], "b": [1]}),
        ("{&k a: 1, b: *k }", {"a": 1, "b": "a"}),
        ("{a: &x 1, b: &x 2, c: *x}", {"a": 1, "b": 2, "c": 2}),
        ("- &x {a: 1, b: 2}\n- {b: 3, <<: *x}", [{"a": 1, "b": 2}, {"b": 3, "a": 1}]),
        ("- &x {a: 1}\n- &y {a: 2}\n- <<: [*x, *y]", [{"a": 1}, {"a": 2}, {"a": 1}]),
        ('"<<": a', {"<<": "a"}),
    ],
)  # fmt: skip
def test_texts_mean_what_json_can_carry(text: str, value: Any) -> None:
    """Values are those of the core schema; whatever else stands without quotes is text."""
    found = read(text)
    assert found == value
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("a: b: c", "f:1:5", "not valid YAML: mapping values are not allowed here"),
        ("a:\n\t- b", "f:2:1", "not valid YAML: found character '\\t' that cannot start any token"),
        ("a: [1", "f:1:6", "not valid YAML: "),
        ('a: "x', "f:1:6", "not valid YAML: found unexpected end of stream"),
        ('"\\UFFFFFFFF"', "f:1:1", "not valid YAML: "),
        ("a: b\nc: x\0", "f:2:5", "not valid YAML: the character U+0000 is not allowed"),
        ("a: \x07", "f:1:4", "not valid YAML: the character U+0007 is not allowed"),
        ("a: \ud800", "f:1:4", "not valid YAML: the character U+D800 is not allowed"),
        ("%YAML 3.0\n---\na", "f:1:1", "not valid YAML: found incompatible YAML document"),
        ("a: !e!x y", "f:1:4", "not valid YAML: found undefined tag handle '!e!'"),
        ("a: b\n---\nc: d", "f:2:1", "a second document begins here"),
        ("a: 1\nb: 2\na: 3", "f:3:1", "the key `a` is given already at line 1"),
        ("{a: 1, a: 1}", "f:1:8", "the key `a` is given already at line 1"),
        ("a: *b", "f:1:4", "there is no `&b` above"),
        ("a: &x [*x]", "f:1:8", "`*x` contains itself"),
        ("&x {a: {b: *x}}", "f:1:12", "`*x` contains itself"),
        ("- &x {a: 1}\n- <<: 5", "f:2:3", "`<<` takes a mapping, or a list of mappings"),
        ("- <<: [5]", "f:1:3", "`<<` takes a mapping, or a list of mappings"),
        ("1: a", "f:1:1", "a key must be a text (found: 1)"),
        ("~: a", "f:1:1", "a key must be a text (found: ~)"),
        ("true: a", "f:1:1", "a key must be a text (found: true)"),
        ("? [a, b]\n: c", "f:1:3", "a key must be a text (found: …)"),
        ("? {a: b}\n: c", "f:1:3", "a key must be a text (found: …)"),
        ("a: !foo b", "f:1:4", "tags are not read here (found: !foo)"),
        ("a: !foo [b]", "f:1:4", "tags are not read here (found: !foo)"),
        ("a: !foo {b: c}", "f:1:4", "tags are not read here (found: !foo)"),
        ("a: !!binary aGk=", "f:1:4", "tags are not read here (found: tag:yaml.org,2002:binary)"),
        ("a: !!set {b}", "f:1:4", "tags are not read here"),
        ("a: !!python/object/apply:os.system [ls]", "f:1:4", "tags are not read here"),
        ("a: !!seq {b: c}", "f:1:4", "tags are not read here"),
        ("a: !!int x", "f:1:4", "is not what its tag tag:yaml.org,2002:int says (found: x)"),
        ('a: "\\ud800"', "f:1:4", "is not Unicode: half of a surrogate pair"),
        ('"\\udfff": a', "f:1:1", "is not Unicode: half of a surrogate pair"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_stands(text: str, where: str, message: str) -> None:
    """Each problem has its line and column, whether the parser found it or we did."""
    assert complaints(text)[0].startswith(f"{where}: {message}")


def test_several_problems_are_found_in_one_go() -> None:
    """What does not hinder reading on is collected."""
    assert len(complaints("{a: 1, a: 2, 3: !x 4}")) == 3


def test_no_alias_bomb_grows() -> None:
    """A billion laughs are refused after so many values, not after as much memory."""
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    (complaint,) = complaints("\n".join(lines))
    assert complaint.endswith(f"more than {VALUES_MAX} values, aliases repeated")


def test_aliases_cannot_nest_deeper_than_what_is_written() -> None:
    """Each alias may add a level; the depth of the result is what counts."""
    lines = ["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 40))]
    (complaint,) = complaints("\n".join(lines))
    assert complaint.endswith(f"nested more than {DEPTH_MAX} deep")


@pytest.mark.parametrize(
    "text", ["[" * 50_000, "{" * 50_000, "- " * 50_000, "? " * 50_000, "[" * 400 + "]" * 400]
)
def test_deep_nesting_is_refused(text: str) -> None:
    """No depth of the file is a depth of our stack."""
    (complaint,) = complaints(text)
    assert complaint.endswith(f"nested more than {DEPTH_MAX} deep")


def test_the_deepest_allowed_document_is_read() -> None:
    """The bound itself is inside."""
    value = read("[" * DEPTH_MAX + "x" + "]" * DEPTH_MAX)
    for _ in range(DEPTH_MAX):
        (value,) = value
    assert value == "x"


def test_huge_files_are_refused_unread() -> None:
    """A file that nobody wrote by hand costs no time."""
    assert complaints("x" * (SIZE_MAX + 1)) == [
        f"f:1:1: the file is larger than {SIZE_MAX} characters"
    ]


def test_a_copy_knows_where_its_original_stands() -> None:
    """A mistake in something repeated is shown where it is written."""
    problems = Problems("f")
    value = read_document("a: &x\n  - k: 1\nb: *x\nc:\n  <<: {m: 2}\n", problems)
    places = problems.places
    assert places.of(value, "b") == (3, 1)
    assert places.of(value["b"], 0) == (2, 5)
    assert places.of(value["b"][0], "k") == (2, 5)
    assert places.of(value["c"], "m") == (5, 8)
    assert value["a"] is not value["b"]
    assert places.of(value, "nothing") is None


_TEXTS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=8)
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18) + 1, 10**18 - 1),
    _TEXTS,
    st.dates().map(dt.date.isoformat),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES)
def test_json_is_read_as_what_it_says(value: Any) -> None:
    """JSON is YAML, but for characters that JSON escapes as a surrogate pair."""
    assert read(json.dumps(value)) == value


_YAMLISH = st.text(
    st.sampled_from([*"{}[]:,-?&*!|>%@`'\"#~ \n\t<.", *string.ascii_letters[:4], *"01%\\u\u00e9"]),
    max_size=40,
)


@settings(max_examples=600)
@given(_YAMLISH)
@example("!!timestamp x")
@example("? : ")
@example("&a &b c")
@example("<<: <<")
@example("- !<tag:yaml.org,2002:bool> x")
@example("'\\u0085'")
@example("%TAG ! tag:x,2000:\n--- !a b")
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but RulesError comes out of rubbish, and what is read can be written as JSON."""
    problems = Problems("f")
    with suppress(RulesError):
        json.dumps(read_document(text, problems))
        return
    assert problems.found
