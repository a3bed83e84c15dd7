from __future__ import annotations

import pytest

from shadow_compare.paths import (
    Aspect,
    Element,
    Label,
    Path,
    covers,
    is_exactly,
    parse_pattern,
    path_text,
    wildcard_text,
)

FORM: Path = ("html", "form", Label("#login"))


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("$", ("$",), True),
        ("$", ("$", "a", 3), True),
        ("$.a", ("$", "a"), True),
        ("$.a", ("$", "a", "b"), True),
        ("$.a", ("$", "ab"), False),
        ("$.a.b", ("$", "a"), False),
        ("$.data[*].price", ("$", "data", 12, "price"), True),
        ("$.data[*].price", ("$", "data", Element("id", "40", 2), "price"), True),
        ("$.data[*].price", ("$", "data", "price"), False),
        ("$.data[2]", ("$", "data", 2), True),
        ("$.data[2]", ("$", "data", Element("id", "40", 2)), True),
        ("$.data[2]", ("$", "data", 3), False),
        ("$.data[2]", ("$", "data", "2"), False),
        ("$.map.*.name", ("$", "map", "17", "name"), True),
        ("$.map.*", ("$", "map", 17), False),
        ("$['a.b']", ("$", "a.b"), True),
        ("$.data[order]", ("$", "data", Aspect.ORDER), True),
        ("$.data[order]", ("$", "data", Aspect.LENGTH), False),
        ("$.data", ("$", "data", Aspect.LENGTH), True),
        ("$.data[*]", ("$", "data", Aspect.ORDER), False),
        ("status", ("status",), True),
        ("$", ("status",), False),
        ("headers.Cache-Control", ("headers", "cache-control"), True),
        ("headers.set-cookie", ("headers", "set-cookie", "S", "httponly"), True),
        ("headers.Set-Cookie.S.httponly", ("headers", "set-cookie", "S", "httponly"), True),
        ("headers.set-cookie['a.b']", ("headers", "set-cookie", "a.b"), True),
        ("headers.set-cookie.*.secure", ("headers", "set-cookie", "S", "secure"), True),
        ("headers.set-cookie.S.httponly", ("headers", "set-cookie", "s", "httponly"), False),
        ("html.form[#login].input[csrf]", (*FORM, "input", Label("csrf"), "value"), True),
        ("html.form[#login].input[csrf].value", (*FORM, "input", Label("csrf"), "type"), False),
        ("html.form[*].input", (*FORM, "input", Label("csrf"), "value"), True),
        ("html.form.input", (*FORM, "input", Label("csrf"), "value"), False),
        ("html.article[#post-*].p", ("html", "article", Label("#post-*"), "p", "text"), True),
        ("html.input[order]", ("html", "input", Label("order"), "value"), True),
        ("html.script.A[order]", ("html", "script", "A", Aspect.ORDER), True),
        ("html.script.A[3]", ("html", "script", "A", 3), True),
        ("html", (*FORM, "method"), True),
        ("$", (*FORM, "method"), False),
        ("text[*]", ("text", 12), True),
        ("csv.rows[*].price", ("csv", "rows", 3, "price"), True),
        ("xml.feed['@id']", ("xml", "feed", "@id"), True),
        ("notice", ("notice",), True),
    ],
)
def test_pattern_covers_its_place_and_what_is_beneath(
    pattern: str, path: Path, covered: bool
) -> None:
    """A pattern speaks for the place it names and for everything beneath, and nothing else."""
    assert covers(parse_pattern(pattern), path) is covered


def test_exact_match_leaves_out_what_is_beneath() -> None:
    """The key of an array belongs to that array only, not to arrays within."""
    pattern = parse_pattern("$.data")
    assert is_exactly(pattern, ("$", "data"))
    assert not is_exactly(pattern, ("$", "data", 0, "lines"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "data",
        "$data",
        "$.",
        "$.a..b",
        "$[x]",
        "$.a b",
        "headers.",
        "headers.a b",
        "$.a[",
        "$['']",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    """What does not follow the grammar is refused with the text that could not be read."""
    with pytest.raises(ValueError, match="is not a path"):
        parse_pattern(text)


@pytest.mark.parametrize(
    ("path", "concrete", "wild"),
    [
        (("$",), "$", "$"),
        (("$", "data", 3, "price"), "$.data[3].price", "$.data[*].price"),
        (("$", "data", Element("id", "40", 2)), "$.data[id=40]", "$.data[*]"),
        (("$", "users", "17", "name"), "$.users.17.name", "$.users.*.name"),
        (
            ("$", "by", "0f8fad5b-d9cb-469f-a165-70867728950e"),
            "$.by.0f8fad5b-d9cb-469f-a165-70867728950e",
            "$.by.*",
        ),
        (("$", "a b"), "$['a b']", "$['a b']"),
        (("$", "it's]"), "$['it?s?']", "$['it?s?']"),
        (("$", "rows", Aspect.ORDER), "$.rows[order]", "$.rows[order]"),
        (("headers", "location"), "headers.location", "headers.location"),
    ],
)
def test_paths_are_written_for_people_and_for_grouping(
    path: Path, concrete: str, wild: str
) -> None:
    """A path is written as it is, and with wildcards so that many rows become one place."""
    assert path_text(path) == concrete
    assert wildcard_text(path) == wild
    parse_pattern(wild)
