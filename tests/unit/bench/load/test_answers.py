from __future__ import annotations

import pytest

from bench.load.answers import Cutter

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(("data", "status"), [(PLAIN, 200), (CHUNKED, 200), (EMPTY, 503)])
def test_an_answer_ends_with_its_last_byte(data: bytes, status: int) -> None:
    """In one piece, byte by byte, and cut in two anywhere; and the next one likewise."""
    whole = Cutter()
    assert whole.feed(data) == status
    assert whole.feed(data) == status
    for at in range(1, len(data)):
        cutter = Cutter()
        assert cutter.feed(data[:at]) == 0
        assert cutter.feed(data[at:]) == status
    single = Cutter()
    assert [single.feed(data[i : i + 1]) for i in range(len(data))][-2:] == [0, status]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN + b"!",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"SMTP ready\r\n\r\n",
        b"HTTP/1.1 abc\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_what_is_no_single_answer_is_a_failure(data: bytes) -> None:
    """Surplus bytes, no framing, another protocol."""
    assert Cutter().feed(data) == -1
