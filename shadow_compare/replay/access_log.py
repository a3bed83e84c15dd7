"""The access logs of Apache and nginx, in the common or the combined form (pure).

    host ident user [time] "METHOD target HTTP/1.1" status bytes ["referer" "agent"]

A body is in no access log, and neither is a cookie: only what asks without either can be repeated.
Of the combined form the referer and the agent are sent again, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from shadow_compare.replay.recorded import Item, Unreadable, request

_LINE: Final = re.compile(
    rb'\S+ \S+ [^\["]{0,200}\[[^\]]{1,60}\] "(?P<method>[A-Z]{1,20}) (?P<target>(?:[^"\\ ]|\\.)+)'
    rb'(?: HTTP/[\d.]+)?" \d{3}'
    rb'(?: (?:\d+|-) "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?'
)
_ESCAPE: Final = re.compile(rb'\\(?:x([0-9A-Fa-f]{2})|(["\\]))')


def read_lines(lines: Iterable[bytes]) -> Iterator[Item]:
    """Read lines; empty ones are nothing."""
    for place, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        found = _LINE.match(line)
        if found is None:
            yield Unreadable(place, "is no line of an access log")
            continue
        told = (("referer", found["referer"]), ("user-agent", found["agent"]))
        headers = tuple(
            (name, _text(value)) for name, value in told if value not in (None, b"-", b"")
        )
        yield request(place, found["method"].decode(), _text(found["target"]), headers)


def _text(written: bytes) -> str:
    return _ESCAPE.sub(_unescaped, written).decode("latin-1")


def _unescaped(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 16)]) if found[1] else found[2]
