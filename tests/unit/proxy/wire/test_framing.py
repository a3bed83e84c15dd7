from __future__ import annotations

import pytest

from proxy.wire.errors import RequestError, ResponseError
from proxy.wire.fields import Field, request_field, response_field
from proxy.wire.framing import CHUNKED, NO_BODY, UNTIL_CLOSE, request_length, response_length


def _request(name: bytes, values: tuple[bytes, ...]) -> list[Field]:
    fields = [request_field(name + b": " + value) for value in values]
    return [field for field in fields if field is not None]


def _response(name: bytes, values: tuple[bytes, ...]) -> list[Field]:
    fields = [response_field(name + b": " + value) for value in values]
    return [field for field in fields if field is not None]


NONE: tuple[bytes, ...] = ()


@pytest.mark.parametrize(
    ("lengths", "encodings", "minor", "length"),
    [
        (NONE, NONE, 1, NO_BODY), ((b"0",), NONE, 1, 0), ((b"5",), NONE, 0, 5),
        ((b"9" * 18,), NONE, 1, 10**18 - 1), (NONE, (b"chunked",), 1, CHUNKED),
        (NONE, (b"CHUNKED",), 1, CHUNKED),
    ],
)  # fmt: skip
def test_request(
    lengths: tuple[bytes, ...], encodings: tuple[bytes, ...], minor: int, length: int
) -> None:
    """A request's body is as long as its one field says."""
    found = request_length(
        _request(b"Content-Length", lengths), _request(b"Transfer-Encoding", encodings), minor
    )
    assert found == length


@pytest.mark.parametrize(
    ("lengths", "encodings", "minor", "status"),
    [
        ((b"5",), (b"chunked",), 1, 400), ((b"5",), (b"chunked",), 0, 400),
        (NONE, (b"chunked",), 0, 400), (NONE, (b"gzip",), 0, 400), (NONE, (b"gzip",), 1, 501),
        (NONE, (b"x-gzip",), 1, 501), (NONE, (b"identity",), 1, 501), (NONE, (b"",), 1, 400),
        (NONE, (b"chunked, chunked",), 1, 400), (NONE, (b"gzip, br",), 1, 400),
        (NONE, (b"xchunked",), 1, 400), (NONE, (b"chunked", b"chunked"), 1, 400),
        (NONE, (b"gzip", b"gzip"), 1, 400), ((b"5", b"5"), NONE, 1, 400), ((b"05",), NONE, 1, 400),
        ((b"+5",), NONE, 1, 400), ((b"",), NONE, 1, 400), ((b"9" * 19,), NONE, 1, 400),
    ],
)  # fmt: skip
def test_refused_request(
    lengths: tuple[bytes, ...], encodings: tuple[bytes, ...], minor: int, status: int
) -> None:
    """A request whose length could be read in two ways is refused."""
    with pytest.raises(RequestError) as refusal:
        request_length(
            _request(b"Content-Length", lengths), _request(b"Transfer-Encoding", encodings), minor
        )
    assert refusal.value.status == status


@pytest.mark.parametrize(
    ("lengths", "encodings", "minor", "status", "method", "length"),
    [
        ((b"5",), NONE, 1, 200, "GET", 5), ((b"0",), NONE, 1, 200, "GET", 0),
        (NONE, NONE, 1, 200, "GET", UNTIL_CLOSE), (NONE, NONE, 0, 200, "GET", UNTIL_CLOSE),
        (NONE, (b"chunked",), 1, 200, "GET", CHUNKED), ((b"5",), NONE, 1, 200, "HEAD", NO_BODY),
        (NONE, (b"chunked",), 1, 200, "HEAD", NO_BODY), (NONE, NONE, 1, 200, "HEAD", NO_BODY),
        ((b"5",), NONE, 1, 204, "GET", NO_BODY), ((b"5",), NONE, 1, 304, "GET", NO_BODY),
        (NONE, NONE, 1, 103, "GET", NO_BODY), (NONE, NONE, 1, 205, "GET", UNTIL_CLOSE),
        ((b"5",), NONE, 1, 500, "POST", 5),
    ],
)  # fmt: skip
def test_response(
    lengths: tuple[bytes, ...],
    encodings: tuple[bytes, ...],
    minor: int,
    status: int,
    method: str,
    length: int,
) -> None:
    """An answer's body is as long as the request's method, its status and its field say."""
    found = response_length(
        _response(b"Content-Length", lengths),
        _response(b"Transfer-Encoding", encodings),
        minor,
        status,
        method,
    )
    assert found == length


@pytest.mark.parametrize(
    ("lengths", "encodings", "minor"),
    [
        ((b"5",), (b"chunked",), 1), ((b"5", b"5"), NONE, 1), ((b"5, 5",), NONE, 1),
        ((b"+5",), NONE, 1), (NONE, (b"chunked",), 0), (NONE, (b"gzip",), 1),
        (NONE, (b"gzip, chunked",), 1), (NONE, (b"chunked", b"chunked"), 1), (NONE, (b"",), 1),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("status", "method"), [(200, "GET"), (200, "HEAD"), (304, "GET")])
def test_refused_response(
    lengths: tuple[bytes, ...],
    encodings: tuple[bytes, ...],
    minor: int,
    status: int,
    method: str,
) -> None:
    """Ambiguous framing is an error even where no body follows: somebody else may read it."""
    with pytest.raises(ResponseError):
        response_length(
            _response(b"Content-Length", lengths),
            _response(b"Transfer-Encoding", encodings),
            minor,
            status,
            method,
        )
