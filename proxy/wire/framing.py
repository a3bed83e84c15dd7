"""How long a body is (RFC 9112, 6.3): decided once from the fields, refused when in doubt."""

from __future__ import annotations

from typing import Final

from proxy.wire.errors import RequestError, ResponseError
from proxy.wire.fields import Field
from proxy.wire.grammar import CONTENT_LENGTH, TOKEN

NO_BODY: Final = 0
CHUNKED: Final = -1
UNTIL_CLOSE: Final = -2
"""A body's length is a count of octets, or one of these."""


def request_length(lengths: list[Field], encodings: list[Field], minor: int) -> int:
    """Give the framing of a request body; raises RequestError."""
    if encodings:
        if lengths:
            raise RequestError(400, "Content-Length and Transfer-Encoding together")
        if minor == 0:
            raise RequestError(400, "Transfer-Encoding in HTTP/1.0")
        value = encodings[0].value.lower()
        if len(encodings) == 1 and value == b"chunked":
            return CHUNKED
        if len(encodings) == 1 and b"chunked" not in value and TOKEN.fullmatch(value):
            raise RequestError(501, "this transfer coding is not implemented")
        raise RequestError(400, "Transfer-Encoding must be exactly `chunked`")
    if not lengths:
        return NO_BODY
    if len(lengths) > 1 or CONTENT_LENGTH.fullmatch(lengths[0].value) is None:
        raise RequestError(400, "Content-Length must be one plain number")
    return int(lengths[0].value)


def response_length(
    lengths: list[Field], encodings: list[Field], minor: int, status: int, method: str
) -> int:
    """Give the framing of a response body; raises ResponseError."""
    if encodings and lengths:
        raise ResponseError("Content-Length and Transfer-Encoding together")
    if len(lengths) > 1 or (lengths and CONTENT_LENGTH.fullmatch(lengths[0].value) is None):
        raise ResponseError("Content-Length must be one plain number")
    if encodings and (minor == 0 or len(encodings) > 1 or encodings[0].value.lower() != b"chunked"):
        raise ResponseError("Transfer-Encoding must be exactly `chunked`, in HTTP/1.1")
    if method == "HEAD" or status in (204, 304) or status < 200:
        return NO_BODY
    if encodings:
        return CHUNKED
    return int(lengths[0].value) if lengths else UNTIL_CLOSE
