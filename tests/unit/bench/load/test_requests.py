from __future__ import annotations

import pytest

from bench.load.requests import POSTS, USERS, Shape, requests
from bench.load.wrk import pack, unpack
from proxy.wire.message import RequestHead
from proxy.wire.parser import RequestParser


@pytest.mark.parametrize(
    "shape",
    [Shape(), Shape(path="/large"), Shape("POST", "/post", 1000), Shape(close=True)],
    ids=str,
)
def test_requests_are_valid(shape: Shape) -> None:
    """The strictest parser at hand takes each, body and all."""
    for data in requests(shape, 19)[:50]:
        parser = RequestParser()
        parser.receive(data)
        head = parser.next()
        assert isinstance(head, RequestHead)
        assert head.method == shape.method
        assert head.keep_alive is not shape.close
        while parser.next() is not None:
            pass
        assert parser.ended
        assert not parser.waiting


def test_no_request_comes_twice() -> None:
    """What is remembered of a request helps none of the others."""
    assert len(set(requests(Shape(), 19))) == USERS
    assert len(requests(Shape("POST", "/post", 10), 19)) == POSTS
    assert len(set(requests(Shape(different=200), 19))) == 200


@pytest.mark.parametrize("routes", [19, 199, 1999])
def test_every_route_is_asked(routes: int) -> None:
    """About equally often."""
    asked = [data.split(b"/")[2] for data in requests(Shape(), routes)]
    counts = [asked.count(f"r{number}".encode()) for number in (0, 1, routes // 2, routes - 1)]
    assert min(counts) >= USERS // routes
    assert max(counts) <= USERS // routes + 1
    assert len(set(asked)) == routes


def test_packing_loses_nothing() -> None:
    """Sizes in front, because a body may contain anything."""
    given = [b"GET / HTTP/1.1\r\n\r\n", b"\n12 13\n", b"\x00" * 300]
    assert unpack(pack(given)) == given
