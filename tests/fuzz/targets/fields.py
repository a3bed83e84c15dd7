"""Field lines and numbers of the framing: read by the letter of the grammar a second time."""

from __future__ import annotations

from typing import Final

from proxy.wire.errors import RequestError, ResponseError
from proxy.wire.fields import Field, Role, request_field, response_field
from proxy.wire.framing import CHUNKED, NO_BODY, UNTIL_CLOSE, request_length, response_length

_TCHAR: Final = frozenset(
    b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
_SPECIAL: Final = frozenset(
    {
        "HOST", "CONTENT_LENGTH", "TRANSFER_ENCODING", "CONNECTION", "EXPECT", "TRACEPARENT",
        "X_REQUEST_ID", "PROXY", "PROXY_CONNECTION", "KEEP_ALIVE", "TE", "TRAILER", "UPGRADE",
        "PROXY_AUTHENTICATE", "PROXY_AUTHORIZATION", "HTTP2_SETTINGS", "X_REAL_IP", "X_CLIENT_IP",
        "X_CLUSTER_CLIENT_IP", "X_ORIGINAL_FORWARDED_FOR", "TRUE_CLIENT_IP", "FORWARDED", "VIA",
    }
)  # fmt: skip


def one(data: bytes) -> None:
    """Read a line in both directions, then the same bytes as values of the framing."""
    expected = reference(data)
    for field in (request_field(data), response_field(data)):
        assert (field and (field.name, field.value)) == expected
        if field is not None:
            again = request_field(field.line)
            assert again is not None, "what is written is no field line"
            assert (again.name, again.value, again.line) == (field.name, field.value, field.line)
    _check_role(request_field(data))
    _check_framing(data)


def reference(line: bytes) -> tuple[bytes, bytes] | None:
    """Give name and value of a line, or None when it is none."""
    name, colon, value = line.partition(b":")
    if not (colon and name and set(name) <= _TCHAR):
        return None
    if any((code < 32 and code != 9) or code == 127 for code in value):
        return None
    return name.lower(), value.strip(b" \t")


def _check_role(field: Field | None) -> None:
    """Say that no spelling of a name that means something goes on as if it meant nothing."""
    if field is None:
        return
    key = field.name.decode().upper().replace("-", "_").replace(".", "_")
    means = key in _SPECIAL or key.startswith(("CUTOVER_", "X_FORWARDED_"))
    folds = b"_" in field.name or b"." in field.name
    if means and folds:
        assert field.role is Role.DROP
    elif folds:
        assert field.role is Role.COUNTED
    else:
        assert (field.role is Role.FORWARD) is not means


def _check_framing(value: bytes) -> None:
    """Say that a length is one plain number, a coding exactly `chunked`, and nothing else."""
    length = Field(b"content-length", value, b"", Role.CONTENT_LENGTH)
    coding = Field(b"transfer-encoding", value, b"", Role.TRANSFER_ENCODING)
    number = _number(value)
    is_chunked = value.lower() == b"chunked"
    assert _request([length], [], 1) == number
    assert _request([length], [], 0) == number
    assert _request([length, length], [], 1) is None
    assert _request([length], [coding], 1) is None
    assert _request([], [coding], 0) is None
    assert _request([], [coding], 1) == (CHUNKED if is_chunked else None)
    assert _response([length], [], "GET") == number
    assert _response([length], [], "HEAD") == (NO_BODY if number is not None else None)
    assert _response([length], [coding], "HEAD") is None
    assert _response([], [coding], "GET") == (CHUNKED if is_chunked else None)
    assert _response([], [coding, coding], "GET") is None
    assert _response([], [], "GET") == UNTIL_CLOSE


def _number(value: bytes) -> int | None:
    if not value or len(value) > 18 or not set(value) <= set(b"0123456789"):
        return None
    number = int(value)
    return number if b"%d" % number == value else None


def _request(lengths: list[Field], codings: list[Field], minor: int) -> int | None:
    try:
        return request_length(lengths, codings, minor)
    except RequestError:
        return None


def _response(lengths: list[Field], codings: list[Field], method: str) -> int | None:
    try:
        return response_length(lengths, codings, 1, 200, method)
    except ResponseError:
        return None
