from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.routing import pattern
from proxy.routing.pattern import REST, SEGMENTS_MAX, Patterns, segments


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("/", ("",)),
        ("/*", ("*",)),
        ("/api", ("api",)),
        ("/api/", ("api", "")),
        ("/api/*", ("api", "*")),
        ("/api/users/{id}", ("api", "users", "{id}")),
        ("/{a}/x/{b_2}", ("{a}", "x", "{b_2}")),
        ("/a-b_c.d~e/!$&'()+,;=:@", ("a-b_c.d~e", "!$&'()+,;=:@")),
        ("/" + "/".join("a" * SEGMENTS_MAX), ("a",) * SEGMENTS_MAX),
    ],
)
def test_a_pattern_is_split_into_segments(text: str, parts: tuple[str, ...]) -> None:
    """Literal text, one segment of any text, and a last rest."""
    assert segments(text) == parts


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a path begins with `/`"),
        ("api", "a path begins with `/`"),
        ("*", "a path begins with `/`"),
        ("/*/a", "`*` stands only at the end of a path"),
        ("/a//b", "a path has no empty, `.` or `..` segments"),
        ("//", "a path has no empty, `.` or `..` segments"),
        ("/./a", "a path has no empty, `.` or `..` segments"),
        ("/a/..", "a path has no empty, `.` or `..` segments"),
        ("/{id}/{id}", "`{id}` stands twice in the path"),
        ("/a*", "segment `a*` is neither plain text, `{name}`, nor a last `*`"),
        ("/{id", "segment `{id` is neither"),
        ("/{}", "segment `{}` is neither"),
        ("/{Id}", "segment `{Id}` is neither"),
        ("/{id}x", "segment `{id}x` is neither"),
        ("/a b", "segment `a b` is neither"),
        ("/a?b", "segment `a?b` is neither"),
        ("/a%20b", "segment `a%20b` is neither"),
        ("/\u00e9", "segment `\u00e9` is neither"),
        ("/a\n", "segment `a\n` is neither"),
        ("/a" * (SEGMENTS_MAX + 1), f"a path has at most {SEGMENTS_MAX} segments"),
    ],
)
def test_what_is_no_pattern_is_refused_with_the_reason(text: str, reason: str) -> None:
    """An operator reads what is wrong with it."""
    with pytest.raises(ValueError, match=re.escape(reason)):
        segments(text)


def test_parameters_are_named_in_order() -> None:
    """The names that `path:NAME` may use."""
    assert pattern.parameters("/a/{user}/b/{id}") == ("user", "id")
    assert pattern.parameters("/a/*") == ()


def takes(parts: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Say naively whether a pattern takes a path's segments."""
    for index, part in enumerate(parts):
        if index >= len(path):
            return False
        if part == REST:
            return True
        if pattern.is_parameter(part):
            if not path[index]:
                return False
        elif part != path[index]:
            return False
    return len(parts) == len(path)


def covers(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    """Say whether `wide` is found to take every path that `narrow` takes."""
    patterns = Patterns[bool]()
    patterns.add(wide, True)
    return any(patterns.covering(narrow))


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ("/*", "/", True),
        ("/*", "/a/b/c", True),
        ("/*", "/*", True),
        ("/a/*", "/a", False),
        ("/a/*", "/a/", True),
        ("/a/*", "/a/{x}/b", True),
        ("/a/{x}", "/a/b", True),
        ("/a/{x}", "/a/", False),
        ("/a/{x}", "/a/{y}", True),
        ("/a/{x}", "/a/*", False),
        ("/a/b", "/a/{x}", False),
        ("/a/b", "/a/b", True),
        ("/a/b", "/a/b/", False),
        ("/{x}/b", "/a/b", True),
        ("/{x}/b", "/a/{y}", False),
        ("/{x}/*", "/*", False),
    ],
)
def test_covering(wide: str, narrow: str, covered: bool) -> None:
    """A pattern covers another when it takes every path that the other takes."""
    assert covers(segments(wide), segments(narrow)) is covered


_PARTS = st.lists(st.sampled_from(["a", "b", "{x}"]), max_size=3)
_PATTERNS = st.builds(
    lambda parts, last: (*parts, last), _PARTS, st.sampled_from(["a", "b", "{x}", "", REST])
)
_PATHS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=4).flatmap(
    lambda parts: st.sampled_from(["", "a", "c"]).map(lambda last: (*parts, last))
)


@given(_PATTERNS, _PATTERNS, _PATHS)
def test_what_is_covered_is_taken(
    wide: tuple[str, ...], narrow: tuple[str, ...], path: tuple[str, ...]
) -> None:
    """No path goes past a pattern that is said to cover the one that takes it."""
    if covers(wide, narrow) and takes(narrow, path):
        assert takes(wide, path)


@given(_PATTERNS, _PATTERNS)
def test_what_is_not_covered_has_a_witness(wide: tuple[str, ...], narrow: tuple[str, ...]) -> None:
    """Some path is taken by the other pattern alone."""
    tails = [[], ["c"], ["c", "c"], ["c", ""], ["a"], ["b"], [""]]
    stem = ["c" if pattern.is_parameter(part) else part for part in narrow if part != REST]
    ends = tails if narrow[-1] == REST else [[]]
    witnesses = [(*stem, *end) for end in ends if narrow[-1] != REST or end]
    assert all(takes(narrow, path) for path in witnesses)
    assert covers(wide, narrow) is all(takes(wide, path) for path in witnesses)


@given(st.lists(_PATTERNS, max_size=12), _PATTERNS)
def test_every_covering_pattern_is_found(
    wide: list[tuple[str, ...]], narrow: tuple[str, ...]
) -> None:
    """Asking all at once finds what asking one by one finds."""
    patterns = Patterns[int]()
    for index, parts in enumerate(wide):
        patterns.add(parts, index)
    found = sorted(patterns.covering(narrow))
    assert found == [index for index, parts in enumerate(wide) if covers(parts, narrow)]
