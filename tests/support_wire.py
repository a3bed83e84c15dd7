"""Messages in every split: what tests of the parsers and of the running data plane share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Final

from proxy.wire.errors import RequestError, ResponseError
from proxy.wire.message import RequestHead, ResponseHead
from proxy.wire.parser import END, RequestParser, ResponseParser

Pieces = list[bytes]


def one_shot(data: bytes) -> Pieces:
    """Give everything in one read."""
    return [data]


def byte_by_byte(data: bytes) -> Pieces:
    """Give one byte for each read; of long messages, a few at a time."""
    step = len(data) // 2000 + 1
    return [data[at : at + step] for at in range(0, len(data), step)]


def in_two(data: bytes) -> Pieces:
    """Give two reads, split in the middle."""
    return [data[: len(data) // 2], data[len(data) // 2 :]]


SPLITS: Final[dict[str, Callable[[bytes], Pieces]]] = {
    "one shot": one_shot,
    "byte by byte": byte_by_byte,
    "in two": in_two,
}


def every_split(data: bytes) -> Iterable[Pieces]:
    """Give one shot, byte by byte, and the two halves of every split."""
    yield [data]
    yield byte_by_byte(data)
    yield from ([data[:at], data[at:]] for at in range(1, len(data)))


def cut(data: bytes, points: list[int]) -> Pieces:
    """Cut at these points, in whatever order and range they are."""
    at = sorted({min(point, len(data)) for point in points} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(at)]


Event = tuple[object, ...]
"""What a parser said, as a value that can be compared: the first element is the kind."""


def request_events(pieces: Pieces) -> list[Event]:
    """Read all requests of one connection; payload that is adjacent is joined."""
    parser, events = RequestParser(), list[Event]()
    try:
        for piece in pieces:
            parser.receive(piece)
            while (event := parser.next()) is not None:
                if isinstance(event, RequestHead):
                    events.append(seen_request(event))
                elif event is END:
                    events.append(("end",))
                    parser.restart()
                else:
                    _payload(events, bytes(event))
    except RequestError as error:
        events.append(("refused", error.status))
    return events


def response_events(pieces: Pieces, method: str = "GET", *, closed: bool = False) -> list[Event]:
    """Read one answer, with its interim ones; `closed` says that the upstream then closed."""
    parser, events = ResponseParser(method), list[Event]()
    try:
        for piece in pieces:
            parser.receive(piece)
            while (event := parser.next()) is not None:
                if isinstance(event, ResponseHead):
                    events.append(seen_response(event))
                elif event is END:
                    events.append(("end",))
                else:
                    _payload(events, bytes(event))
        if closed and parser.finish() is END:
            events.append(("end",))
    except ResponseError:
        events.append(("refused",))
    if parser.ended:
        events.append(("surplus", parser.waiting))
    return events


def _payload(events: list[Event], piece: bytes) -> None:
    if events and events[-1][0] == "data":
        piece = bytes(events.pop()[1]) + piece  # type: ignore[call-overload] # put there as bytes
    events.append(("data", piece))


def seen_request(head: RequestHead) -> Event:
    """Everything that a request's head says."""
    lines = tuple((field.line, field.role.name) for field in head.fields)
    return (
        "request", head.method, head.path, head.target, head.minor, lines, head.host,
        head.length, head.keep_alive, head.expects_continue,
    )  # fmt: skip


def seen_response(head: ResponseHead) -> Event:
    """Everything that an answer's head says."""
    lines = tuple((field.line, field.role.name) for field in head.fields)
    return (
        "response", head.status, head.reason, head.minor, lines, head.length, head.declared,
        head.keep_alive, head.idle_hint,
    )  # fmt: skip


def read_request_head(data: bytes) -> RequestHead:
    """Read one head that must be acceptable."""
    parser = RequestParser()
    parser.receive(data)
    head = parser.next()
    assert isinstance(head, RequestHead)
    return head


def read_response_head(data: bytes, method: str = "GET") -> ResponseHead:
    """Read one head that must be acceptable."""
    parser = ResponseParser(method)
    parser.receive(data)
    head = parser.next()
    assert isinstance(head, ResponseHead)
    return head
