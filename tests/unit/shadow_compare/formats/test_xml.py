from __future__ import annotations

from itertools import pairwise

import pytest

from shadow_compare.rules import CompareRules
from tests.support_formats import compared, told

XML = "application/xml"
FEED = """<?xml version="1.0"?><f:feed xmlns:f="urn:f" made="3"><!-- c --><entry id="a">
<title>One</title><empty/></entry><entry id="b"><title>Two &amp; a half</title></entry></f:feed>"""

CHANGES = [
    (">One<", ">Eins<", ["value_changed xml.feed.entry.title.text"]),
    ('id="b"', 'id="c"', ["value_changed xml.feed.entry['@id']"]),
    ("<empty/>", "", ["missing xml.feed.entry.empty.text"]),
    ("<empty/>", "<empty>x</empty>", ["value_changed xml.feed.entry.empty.text"]),
    ('"urn:f"', '"urn:g"', None),
    ("f:feed", "g:feed", []),
    ("xmlns:f", "xmlns:g", []),
    ("<!-- c -->", "", []),
    ("<empty/>", "<empty> </empty>", []),
    ("Two &amp; a half", "<![CDATA[Two & a half]]>", []),
    ("\n", "", []),
]


@pytest.mark.parametrize(("before", "after", "expected"), CHANGES)
def test_texts_and_attributes_are_told_by_the_names_around_them(
    before: str, after: str, expected: list[str] | None
) -> None:
    """Names with their namespaces count; prefixes, comments and white space between do not."""
    new = FEED.replace(before, after)
    if before in ("f:feed", "xmlns:f"):  # both places of the prefix
        new = FEED.replace("f:feed", "g:feed").replace("xmlns:f", "xmlns:g")
    found = told(FEED, new, XML)
    assert found != [] if expected is None else found == expected


def test_place_can_be_ruled_out() -> None:
    """A path names an attribute, or everything beneath an element."""
    new = FEED.replace('made="3"', 'made="4"').replace("One", "Eins")
    rules = CompareRules.build(ignore=[{"path": "xml.feed['@made']"}, {"path": "xml.feed.entry"}])
    assert told(FEED, new, XML, rules) == []


BOMB = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise("abcdefghi"))
    + "]><a>&i;</a>"
)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("<a>", "not XML (no element found"),
        ("<a></b>", "not XML (mismatched tag"),
        ("", "not XML"),
        (BOMB, "declares entities"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "declares entities"),
    ],
)
def test_what_is_no_xml_is_told_as_a_fault(body: str, why: str) -> None:
    """Broken documents and bombs are not read, and not equal to anything."""
    (found,) = compared(FEED, body, XML).differences
    assert found.kind == "type_changed"
    assert why in found.new


def test_too_deep_is_not_compared() -> None:
    """Beyond the depth that people design, nothing is said."""
    deep = "<a>" * 300 + "{}" + "</a>" * 300
    assert compared(deep.format(1), deep.format(2), XML).reason == "too_deep"


def test_declared_charset_is_read() -> None:
    """Latin 1 and UTF-8 documents hold the same text."""
    body = "<?xml version='1.0' encoding='{}'?><a>Zoë</a>"
    old, new = body.format("iso-8859-1").encode("latin-1"), body.format("utf-8").encode()
    assert told(old, new, XML) == []
