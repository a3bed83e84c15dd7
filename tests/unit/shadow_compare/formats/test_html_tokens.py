from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.formats.html_tokens import attributes_of, decoded, tokens


def read(page: str) -> list[str]:
    """Give texts, start tags and end tags, in order."""
    found: list[str] = []
    for text, start, attributes, end in tokens(page):
        found += filter(None, (text, start and f"+{start}{attributes}", end and f"-{end}"))
    return found


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("a<B>c</B >d", ["a", "+b", "c", "-b", "d"]),
        ("<a href='x>y' b>t", ["+a href='x>y' b", "t"]),
        ("<p title=it's>b", ["+p title=it's", "b"]),
        ("a < b <3", ["a <", " b <", "3"]),
        ("x<!-- a -- > --> b <!--> c <!---> d <!-- --!>e", ["x", " b ", " c ", " d ", "e"]),
        ("<!DOCTYPE html><?xml x?></ x>y", ["y"]),
        ("<a/b/c=d/>e", ["+a/b/c=d/", "e"]),
        ("a<b c=\"d", ["a"]),
        ("a<!-- b", ["a"]),
        ("<script>if(a<b){'</scr'}</SCRIPT\n>t", ["+script", "if(a<b){'</scr'}", "-script", "t"]),
        ("<textarea>&lt;b></textarea>", ["+textarea", "<b>", "-textarea"]),
        ("<title>a<b>c", ["+title", "a<b>c"]),
        ("<style>a{}</style>", ["+style", "a{}", "-style"]),
    ],
)  # fmt: skip
def test_tags_and_texts_are_what_browsers_take_for_them(page: str, expected: list[str]) -> None:
    """Quotes, stray brackets, comments, raw text and unfinished tags."""
    assert read(page) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (' a = "b c" d=e f=\'g"\' h', {"a": "b c", "d": "e", "f": 'g"', "h": ""}),
        (" A=1 a=2", {"a": "1"}),
        (' href="?a=1&copy=2&amp;x&#38;y"', {"href": "?a=1&copy=2&x&y"}),
        (" a=b/ c=", {"a": "b/", "c": ""}),
    ],
)
def test_attributes(written: str, expected: dict[str, str]) -> None:
    """Every way of quoting; the first of a name counts; a parameter named `copy` is no symbol."""
    assert attributes_of(written) == expected


def test_references_in_text() -> None:
    """Named, numbered, without end; a number of five thousand digits is no character."""
    assert decoded("&lt;&eacute;&#8364;&#x20AC;&copy 1 &unknown; a&b") == "<é€€© 1 &unknown; a&b"
    assert decoded("&#" + "9" * 5000 + ";x&#x" + "f" * 5000) == "\ufffdx\ufffd"


@given(st.text(alphabet="<>/!-= \"'&;#abpscript\n", max_size=60))
def test_no_page_is_unreadable(page: str) -> None:
    """Any sequence of the characters that mean something gives some tokens."""
    for _, start, attributes, end in tokens(page):
        assert not (start and end)
        assert start or not attributes


HOSTILE = [
    "<", "<!", "<!--", "<!-- -", "&", "<a ", '<a x="', "<a x='", "</", "</p", "<script></scr",
    "<a b=",    "<a =", "&#", "<div>", "<p><b>", "<table>x", "--><!--", "<a/", "<![CDATA[",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_time_grows_with_the_size_alone(piece: str) -> None:
    """Half a million characters of any hostile piece take less than two seconds."""
    page = piece * (500_000 // len(piece))
    started = process_time()
    for _ in tokens(page):
        pass
    assert process_time() - started < 2.0
