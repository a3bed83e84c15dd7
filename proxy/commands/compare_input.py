"""Reading what is to be compared: a file, an answer as `curl -i` prints it, a URL, standard input.

Everything is bounded: the bytes that are read, and the time that a URL takes as a whole.
"""

from __future__ import annotations

import http.client
import mimetypes
import re
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import quote, urlsplit

from shadow_compare.normalize import Answer, Headers, NotComparableError, decoded_body

_BLANK: Final = re.compile(rb"\r?\n\r?\n")
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""RFC 9110 section 5.5."""
_IN_A_TARGET: Final = "/?&=%:@!$'()*+,;-._~"
_READ: Final = 64 * 1024
_HEAD_MAX: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """How to read: fields `Name: value` for URLs, seconds for each, bytes of each."""

    fields: Sequence[str]
    timeout: float
    bytes_max: int


def read_pair(old: str, new: str, media_type: str | None, source: Source) -> tuple[Answer, Answer]:
    """Read both answers; raises ValueError with what cannot be read and why.

    Where only one side tells its type the other is taken to be of the same; where neither does it
    is guessed, for both alike.
    """
    if old == new == "-":
        raise ValueError("standard input can only be one of the two")
    answers = [_read(where, source) for where in (old, new)]
    told = [answer.header("content-type") for answer in answers]
    if media_type is None and None in told:
        media_type = told[0] or told[1] or _guess(old, answers[0]) or _guess(new, answers[1])
        media_type = media_type or "application/octet-stream"
        answers = [_typed(a, a.header("content-type") or media_type) for a in answers]
    elif media_type is not None:
        answers = [_typed(answer, media_type) for answer in answers]
    return answers[0], answers[1]


def _read(where: str, source: Source) -> Answer:
    try:
        if "://" in where and not Path(where).exists():
            return _fetched(where, source)
        if where == "-":
            return _parsed(_bounded(sys.stdin.buffer, source.bytes_max))
        with Path(where).open("rb") as file:
            return _parsed(_bounded(file, source.bytes_max))
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ValueError(f"{where}: {reason}") from error


def _bounded(stream: BinaryIO, most: int) -> tuple[bytes, bool]:
    """Read at most so many bytes; gives whether that was not all."""
    content = stream.read(most + 1)
    return content[:most], len(content) > most


def _parsed(read: tuple[bytes, bool]) -> Answer:
    """Take a file for a body, or for an answer with its head; of several heads the last counts."""
    body, truncated = read
    status, headers = 200, list[tuple[str, str]]()
    while body.startswith(b"HTTP/"):
        end = _BLANK.search(body, 0, _HEAD_MAX)
        if end is None:
            break
        status, headers = _head(body[: end.start()])
        body = body[end.end() :]
    answer = Answer(status, tuple(headers), body, truncated)
    return _without_coding_already_undone(answer)


def _head(head: bytes) -> tuple[int, list[tuple[str, str]]]:
    first, *lines = head.decode("latin-1").splitlines()
    code = first.split(" ")[1:2]
    if not code or not (code[0].isascii() and code[0].isdigit() and len(code[0]) == 3):
        raise ValueError(f"{first[:80]!r} is not the status line of an answer")
    fields = (line.partition(":") for line in lines)
    return int(code[0]), [(name.strip().lower(), value.strip()) for name, _, value in fields]


def _without_coding_already_undone(answer: Answer) -> Answer:
    """Drop a Content-Encoding that does not hold: `curl --compressed` saves the body plain."""
    if answer.truncated or answer.header("content-encoding") is None:
        return answer
    try:
        decoded_body(answer)
    except NotComparableError:
        headers = tuple(pair for pair in answer.headers if pair[0] != "content-encoding")
        return answer.having(headers)
    return answer


def _fetched(url: str, source: Source) -> Answer:
    """Ask a URL; redirections are answers like all others."""
    scheme, host, port, target = _address(url)
    deadline = time.monotonic() + source.timeout
    connection = _connection(scheme, host, port, source.timeout)
    try:
        connection.putrequest("GET", target, skip_accept_encoding=True)
        for name, value in map(field_of, source.fields):
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        body = bytearray()
        while len(body) <= source.bytes_max and (part := response.read1(_READ)):
            body += part
            if time.monotonic() > deadline:
                raise ValueError(f"{url}: did not answer completely within {source.timeout:g} s")
        headers: Headers = tuple((n.lower(), v) for n, v in response.getheaders())
        truncated = len(body) > source.bytes_max
        return Answer(response.status, headers, bytes(body[: source.bytes_max]), truncated)
    finally:
        connection.close()


def _address(url: str) -> tuple[str, str, int | None, str]:
    """Read scheme, host, port and target; raises ValueError with the URL and how to mend it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{url}: {error}") from error
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"{url}: is no http:// or https:// URL, and no file")
    if not host:
        raise ValueError(f"{url}: has no host")
    if parts.username is not None:
        raise ValueError(
            f"{host}: say who you are with --header 'Authorization: …', not in the URL"
        )
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    if not target.isascii() or not target.isprintable() or " " in target:
        raise ValueError(f"{url}: write {quote(target, safe=_IN_A_TARGET)} for {target}")
    return parts.scheme, host, port, target


def _connection(
    scheme: str, host: str, port: int | None, timeout: float
) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    return http.client.HTTPConnection(host, port, timeout=timeout)


def field_of(text: str) -> tuple[str, str]:
    """Read `Name: value`; raises ValueError."""
    name, colon, value = text.partition(":")
    if not colon or not _NAME.fullmatch(name.strip()) or not _VALUE.fullmatch(value):
        raise ValueError(f"--header: {text!r} is not 'Name: value' of a header")
    return name.strip(), value.strip()


def _typed(answer: Answer, media_type: str) -> Answer:
    others = (pair for pair in answer.headers if pair[0] != "content-type")
    return answer.having((*others, ("content-type", media_type)))


def _guess(where: str, answer: Answer) -> str | None:
    """Guess a media type by the name of a file, or else by its first bytes."""
    by_name, _ = mimetypes.guess_type(where)
    if by_name is not None and "://" not in where:
        return by_name
    start = answer.body[:512].lstrip().lower()
    if start.startswith((b"{", b"[")):
        return "application/json"
    if start.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    if start.startswith(b"<"):
        return "application/xml"
    if start.startswith(b"%pdf-"):
        return "application/pdf"
    try:
        answer.body.decode()
    except UnicodeDecodeError:
        return None
    return "text/plain"
