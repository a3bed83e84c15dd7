"""HTML as a stream of tags and text, in time that grows with its size alone.

Follows the tokenizer of the WHATWG (HTML, section 13.2.5): what it takes for a tag, a comment or
text is what browsers take. What a pattern has matched it does not try again in another way, so no
input makes it slow. (Atomic groups, as Python 3.11 loses matches of possessive groups.)
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final

SPACE: Final = " \t\n\f\r"

_S = r"[ \t\n\f\r]"
_NEXT = re.compile(
    r"""([^<]*+)                                                   # text, and after it one of:
        (?: <([a-zA-Z][^ \t\n\f\r/>]*+)                            # a start tag
            (?: > | ([ \t\n\f\r/]
                (?>(?: [^>"'=]++
                     | =[ \t\n\f\r]*+(?:"[^"]*+"|'[^']*+'|[^ \t\n\f\r>"'][^ \t\n\f\r>]*+|(?=>))
                     | ["']
                )*))> )
          | </([a-zA-Z][^ \t\n\f\r/>]*+)[^>]*+>                    # an end tag
          | <!--(?: -?> | (?s:.*?)--!?> )                          # a comment
          | <(?!!--)[!?/][^>]*+>                                   # what is taken for one
          | (<)(?![a-zA-Z/!?])                                     # just a bracket
          | \Z )
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


def tokens(page: str) -> Iterator[tuple[str, str, str, str]]:
    """Give texts with the tag behind: text, name of a start tag, attributes, name of an end tag.

    Names are in lower case, attributes as written; what is not there is empty. Comments,
    declarations and whatever stands in an unfinished tag at the end are left out.
    """
    position, size = 0, len(page)
    while position < size and (found := _NEXT.match(page, position)) is not None:
        text, start, attributes, end, bracket = found.groups("")
        position = found.end()
        if "&" in text:
            text = decoded(text)
        start = start.lower()
        yield text + bracket, start, attributes, end.lower()
        if start in _RAW:
            closing = _RAW[start].search(page, position)
            stop = size if closing is None else closing.start()
            raw = page[position:stop]
            yield decoded(raw) if start in _ESCAPABLE else raw, "", "", ""
            position = stop
    if position < size:  # an unfinished tag, and perhaps text before it
        yield decoded(page[position : page.find("<", position)]), "", "", ""


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
