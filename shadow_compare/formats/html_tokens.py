"""HTML as a stream of tags and text, in time that grows with its size alone.

Follows the tokenizer of the WHATWG (HTML, section 13.2.5): what it takes for a tag, a comment or
text is what browsers take. What a pattern has matched it does not try again in another way, so no
input makes it slow. (Atomic groups, as Python 3.11 loses matches of possessive groups.)
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from enum import Enum
from typing import Final


class Token(Enum):
    """What a piece of markup is."""

    TEXT = "text"
    START = "start"
    END = "end"


SPACE: Final = " \t\n\f\r"

_S = r"[ \t\n\f\r]"
_NEXT = re.compile(
    r"""(?P<text>[^<]++)
      | <(?P<start>[a-zA-Z][^ \t\n\f\r/>]*+)
         (?P<attributes>(?>(?:
             [ \t\n\f\r/]++
           | [^ \t\n\f\r/>=]++
           | =[ \t\n\f\r]*+(?:"[^"]*+"|'[^']*+'|[^ \t\n\f\r>"'][^ \t\n\f\r>]*+|(?=>))
         )*))>
      | </(?P<end>[a-zA-Z][^ \t\n\f\r/>]*+)[^>]*+>
      | <!--(?:-?>|(?s:.*?)--!?>)
      | <(?!!--)[!?/][^>]*+>
      | (?P<stray><(?![a-zA-Z/!?]))
    """,
    re.VERBOSE,
)
_ATTRIBUTE = re.compile(
    rf"""([^\s/>=][^ \t\n\f\r/>=]*)(?:{_S}*={_S}*(?:"([^"]*)"|'([^']*)'|([^ \t\n\f\r>]*)))?"""
)
_RAW: Final = {
    tag: re.compile(rf"</{tag}(?=[ \t\n\f\r/>])", re.IGNORECASE)
    for tag in ("script", "style", "textarea", "title", "iframe", "noembed", "noframes", "xmp")
}
"""Elements that hold text up to their end tag, whatever else looks like a tag in there."""
_ESCAPABLE: Final = frozenset({"textarea", "title"})
_HUGE_REFERENCE = re.compile(r"&#(?:[0-9]{8,}+|[xX][0-9a-fA-F]{8,}+);?")
_UNENDED_REFERENCE = re.compile(r"&(?=[a-zA-Z][a-zA-Z0-9]*+(?!;))")


def tokens(page: str) -> Iterator[tuple[Token, str, str]]:
    """Give each text, or tag by its name in lower case with its attributes as written.

    Comments, declarations and whatever stands in an unfinished tag at the end are left out.
    """
    position = 0
    while (found := _NEXT.match(page, position)) is not None:
        position = found.end()
        kind = found.lastgroup
        if kind == "text" or kind == "stray":
            yield Token.TEXT, decoded(found[0]), ""
        elif kind == "attributes":
            name = found["start"].lower()
            yield Token.START, name, found["attributes"]
            if name in _RAW:
                end = _RAW[name].search(page, position)
                stop = len(page) if end is None else end.start()
                raw = page[position:stop]
                yield Token.TEXT, decoded(raw) if name in _ESCAPABLE else raw, ""
                position = stop
        elif kind == "end":
            yield Token.END, found["end"].lower(), ""


def decoded(text: str) -> str:
    """Replace character references in text."""
    if "&" not in text:
        return text
    if "&#" in text:  # `int` refuses a number of thousands of digits, and none of them is a letter
        text = _HUGE_REFERENCE.sub("\N{REPLACEMENT CHARACTER}", text)
    return html.unescape(text)


def attributes_of(written: str) -> dict[str, str]:
    """Read attributes; of those of one name the first counts."""
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(written):
        value = double or single or bare
        if "&" in value:  # `?a=1&copy=2` holds no copyright sign (section 13.2.5.73)
            value = decoded(_UNENDED_REFERENCE.sub("&amp;", value))
        found.setdefault(name.lower(), value)
    return found
