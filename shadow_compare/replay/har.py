"""HTTP archives (HAR 1.2), as browsers save them, read entry by entry (pure).

The file is one JSON object, of any size; only one of its entries is held at a time. Entries are cut
out by counting brackets outside of strings.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from shadow_compare.replay.recorded import SIZE_MAX, Item, Unreadable, request

_ENTRIES: Final = re.compile(rb'"entries"\s*:\s*\[')
_MARK: Final = re.compile(rb'["{}\[\]]')
_STRING_END: Final = re.compile(rb'(?:[^"\\]|\\.)*+"', re.DOTALL)
_AHEAD: Final = 4096

Headers = tuple[tuple[str, str], ...]


def read_chunks(chunks: Iterable[bytes]) -> Iterator[Item]:
    """Read a file in pieces of any size."""
    place = 0
    for place, entry in enumerate(_entries(iter(chunks)), start=1):
        if entry is None:
            yield Unreadable(place, f"is cut off, or larger than {SIZE_MAX} bytes")
        else:
            yield _item(place, entry)
    if not place:
        yield Unreadable(0, "holds no entries")


def _entries(chunks: Iterator[bytes]) -> Iterator[bytes | None]:
    """Cut out each entry; None for the end of what goes on for too long, or stops in the middle."""
    buffer = b""
    found = None
    for chunk in chunks:
        buffer = buffer[-_AHEAD:] + chunk if found is None else buffer
        found = _ENTRIES.search(buffer)
        if found:
            break
    if found is None:
        return
    cutter = _Cutter()
    for chunk in chain([buffer[found.end() :]], chunks):
        yield from cutter.feed(chunk)
        if cutter.ended or cutter.too_large:
            break
    if not cutter.ended:
        yield None


class _Cutter:
    """Counts brackets; `ended` when the array of entries is closed."""

    def __init__(self) -> None:
        self.ended = False
        self.too_large = False
        self._buffer = b""
        self._position = 0
        self._depth = 0
        self._start = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Give the entries that are complete now."""
        self._buffer += chunk
        while not self.ended:
            mark = _MARK.search(self._buffer, self._position)
            if mark is None:
                self._position = len(self._buffer)
                break
            if mark[0] == b'"':
                end = _STRING_END.match(self._buffer, mark.end())
                if end is None:  # the rest of the string is still to come
                    self._position = mark.start()
                    break
                self._position = end.end()
                continue
            self._position = mark.end()
            if mark[0] in b"{[":
                if not self._depth:
                    self._start = mark.start()
                self._depth += 1
            elif not self._depth:
                self.ended = True
            else:
                self._depth -= 1
                if not self._depth:
                    yield self._buffer[self._start : self._position]
                    self._buffer, self._position = self._buffer[self._position :], 0
        self.too_large = len(self._buffer) > SIZE_MAX


def _item(place: int, entry: bytes) -> Item:
    try:
        asked: dict[str, Any] = orjson.loads(entry)["request"]
        headers = tuple(
            (str(each["name"]), str(each["value"])) for each in asked.get("headers", ())
        )
        body, headers = _body(asked.get("postData") or {}, headers)
        return request(place, str(asked["method"]), str(asked["url"]), headers, body)
    except (ValueError, LookupError, TypeError, AttributeError):
        return Unreadable(place, "is no entry with a request")


def _body(posted: dict[str, Any], headers: Headers) -> tuple[bytes, Headers]:
    """Give a body, as its text or its pairs say it, and the headers with its type."""
    media_type = str(posted.get("mimeType") or "")
    if media_type and not any(name.lower() == "content-type" for name, _ in headers):
        headers = (*headers, ("content-type", media_type))
    text = posted.get("text") or ""
    if not text and posted.get("params"):
        pairs = [(str(each["name"]), str(each.get("value", ""))) for each in posted["params"]]
        return urlencode(pairs).encode(), headers
    if posted.get("encoding") == "base64":
        return b64decode(text, validate=True), headers
    return text.encode(), headers
