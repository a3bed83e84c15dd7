"""From the bytes of a text to its characters, as a browser would read them.

The order is that of the WHATWG (Encoding, section 6; HTML, section 13.2.3): a byte order mark, the
charset of the Content-Type, what the first bytes of markup declare, and without any of these UTF-8
where the bytes are valid UTF-8. Bytes that are not of the declared charset become U+FFFD: whoever
reads the page sees that, so it is a difference like any other.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from shadow_compare.normalize import Answer

PRESCAN: Final = 1024
"""Bytes of markup in which its declaration is looked for."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PARAMETER: Final = re.compile(r""";\s*charset\s*=\s*["']?([^\s;"']+)""", re.IGNORECASE)
_META: Final = re.compile(rb"""<meta\b[^>]{0,200}?charset\s*=\s*["']?([\w.:-]{1,40})""", re.I)
_XML: Final = re.compile(rb"""^\s*<\?xml\b[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})""")
_LATIN: Final = "cp1252"
"""What every browser takes ISO 8859-1 and ASCII for."""
_CODECS: Final = frozenset(
    {"utf-8", "utf-16-le", "utf-16-be", "cp866", "cp874", "gbk", "gb18030", "big5", "big5hkscs",
     "euc_jp", "iso2022_jp", "shift_jis", "cp932", "euc_kr", "cp949", "koi8-r", "koi8-u",
     "mac-roman", *(f"cp{number}" for number in range(1250, 1259)),
     *(f"iso8859-{number}" for number in range(2, 17))}
)  # fmt: skip
"""Python knows more: some that are no charsets, and some that are slow."""
_TAKEN_FOR: Final = {
    "ascii": _LATIN, "iso8859-1": _LATIN, "iso8859-9": "cp1254", "utf-16": "utf-16-le",
    "gb2312": "gbk", "shift_jis": "cp932", "euc_kr": "cp949",
}  # fmt: skip


def text_of(body: bytes, answer: Answer, *, markup: bool = False) -> str:
    """Give the characters of a body; `markup` may declare its charset itself."""
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(codec, "replace")
    declared = _declared(answer) or (_codec_of_markup(body[:PRESCAN]) if markup else None)
    if declared is not None:
        return body.decode(declared, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode(_LATIN, "replace")


def _declared(answer: Answer) -> str | None:
    found = _PARAMETER.search(answer.header("content-type") or "")
    return codec_of(found[1]) if found else None


def _codec_of_markup(start: bytes) -> str | None:
    found = _XML.search(start) or _META.search(start)
    codec = codec_of(found[1].decode("ascii", "replace")) if found else None
    # What could be read so far was not in UTF-16, whatever it says of itself.
    return "utf-8" if codec in ("utf-16-le", "utf-16-be") else codec


def codec_of(label: str) -> str | None:
    """Give Python's name for a charset; None when browsers do not know it."""
    try:
        name = codecs.lookup(label.strip()).name
    except (LookupError, ValueError):
        return None
    name = _TAKEN_FOR.get(name, name)
    return name if name in _CODECS else None
