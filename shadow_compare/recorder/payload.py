"""One request as it is recorded: without its secrets, in the form of GoReplay (pure).

1 ID NANOSECONDS LF request-as-on-the-wire LF monkeys LF
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from shadow_compare.capture import Capture, Headers
from shadow_compare.normalize import Answer, Content, NotComparableError, decoded_body
from shadow_compare.redact import TEXT_MAX, Redactor, is_redacted
from shadow_compare.replay.goreplay import SEPARATOR

_OF_THE_CONNECTION: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
     "upgrade", "expect", "content-length"}
)  # fmt: skip
_BRACKETS: Final = re.compile(r"\[redacted ([0-9a-f]{12})\]")


class NotRecordableError(Exception):
    """A request cannot be recorded; the text is the reason that is counted."""


def payload(capture: Capture, redactor: Redactor) -> bytes:
    """Write a request. What holds nothing secret is written byte for byte.

    Raises NotRecordableError.
    """
    body, headers = _redacted_body(capture, redactor)
    fields = [pair for pair in redactor.headers(headers) if pair[0] not in _OF_THE_CONNECTION]
    if body or capture.method in ("POST", "PUT", "PATCH"):
        fields.append(("content-length", str(len(body))))
    target = _BRACKETS.sub(r"%5Bredacted%20\1%5D", redactor.target(capture.target))
    lines = [f"{capture.method} {target} HTTP/1.1", *(f"{n}: {v}" for n, v in fields)]
    try:
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    except UnicodeEncodeError as error:
        raise NotRecordableError("bad_request") from error
    name = hashlib.blake2b(capture.id.encode(), digest_size=12).hexdigest()
    written = b"1 %s %d\n%s%s" % (name.encode(), int(capture.at * 1e9), head, body)
    # Whoever wrote it into a body could have anything sent when this is replayed.
    if SEPARATOR.strip() in written:
        raise NotRecordableError("separator")
    return written + SEPARATOR


def _redacted_body(capture: Capture, redactor: Redactor) -> tuple[bytes, Headers]:
    """Give the body without secrets, and the headers that go with it."""
    request = Answer(0, capture.request_headers, capture.request_body)
    if not capture.request_body:
        return b"", capture.request_headers
    try:
        plain = decoded_body(request)
        text = plain.decode("utf-8", "replace")
    except NotComparableError as error:
        raise NotRecordableError(error.reason) from error
    redacted = redactor.body(plain, request.content, request.media_type)
    if redacted == text:
        return capture.request_body, capture.request_headers
    # Of texts only a beginning is redacted; what is no text stands as a digest.
    if len(plain) > TEXT_MAX and request.content is not Content.JSON and not is_redacted(redacted):
        raise NotRecordableError("body_too_big")
    headers = tuple(pair for pair in capture.request_headers if pair[0] != "content-encoding")
    return redacted.encode("utf-8", "replace"), headers
