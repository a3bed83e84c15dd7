"""Two other parsers, h11 and llhttp: what they read in the bytes that the proxy has written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import h11
import httptools

Fields = list[tuple[bytes, bytes]]

_LARGEST: Final = 131_072
"""Bytes of the largest head that h11 is to take: ours with everything that we add to it."""


@dataclass
class Seen:
    """One request as some parser understood it; names in small letters."""

    method: bytes = b""
    target: bytes = b""
    fields: Fields = field(default_factory=list)
    body: bytes = b""
    complete: bool = False

    @property
    def upgrades(self) -> bool:
        """Whether it asks for a tunnel."""
        return any(name == b"upgrade" for name, _ in self.fields)


@dataclass
class Answer:
    """One final answer as some parser understood it; names in small letters."""

    status: int = 0
    fields: Fields = field(default_factory=list)
    body: bytes = b""
    complete: bool = False
    interim: list[int] = field(default_factory=list)
    trailers: Fields = field(default_factory=list)

    def value(self, name: bytes) -> bytes | None:
        """Give the value of the first field of this name."""
        return next((value for known, value in self.fields if known == name), None)


def fields_of(head: bytes) -> Fields:
    """Cut a head that we have written into its fields, without any understanding of them."""
    pairs = [line.partition(b": ") for line in head.split(b"\r\n")[1:-2]]
    return [(name.lower(), value) for name, _, value in pairs]


def requests_by_h11(raw: bytes) -> list[Seen]:
    """Read the requests of a connection with h11."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_LARGEST)
    seen: list[Seen] = []
    connection.receive_data(raw)
    while True:
        event = connection.next_event()
        match event:
            case h11.Request():
                fields = [(bytes(name), bytes(value)) for name, value in event.headers]
                seen.append(Seen(bytes(event.method), bytes(event.target), fields))
            case h11.Data():
                seen[-1].body += bytes(event.data)
            case h11.EndOfMessage():
                seen[-1].complete = True
                connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                connection.send(h11.EndOfMessage())
                connection.start_next_cycle()
            case _:
                return seen


class _Listener:
    """What httptools tells, for either direction."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.parser: Any = None

    def on_message_begin(self) -> None:
        self.seen.append(Seen())

    def on_url(self, url: bytes) -> None:
        self.seen[-1].target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.seen[-1].method:  # else it is a trailer
            self.seen[-1].fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if isinstance(self.parser, httptools.HttpRequestParser):
            self.seen[-1].method = self.parser.get_method()
        else:
            self.seen[-1].method = b"%d" % self.parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self.seen[-1].body += body

    def on_message_complete(self) -> None:
        self.seen[-1].complete = True


def requests_by_llhttp(raw: bytes, *, tunnels: bool = False) -> list[Seen]:
    """Read the requests of a connection with llhttp; a head that is not complete is none.

    A request to turn the connection over counts as refused: another one follows. With `tunnels`
    it may have been granted, and what follows be anything.
    """
    listener = _Listener()
    while raw:
        listener.parser = httptools.HttpRequestParser(listener)
        try:
            listener.parser.feed_data(raw)
            break
        except httptools.HttpParserUpgrade as upgrade:
            raw = raw[upgrade.args[0] :]
        except httptools.HttpParserError:
            if not (tunnels and any(seen.upgrades for seen in listener.seen)):
                raise
            break
    return [seen for seen in listener.seen if seen.method]


TUNNEL: Final = b"TUNNEL"
"""Stands for the method of a GET that asks for a WebSocket."""


def answers_by_h11(raw: bytes, methods: list[bytes], *, closed: bool) -> tuple[list[Answer], bytes]:
    """Read the answers to requests with these methods; gives them, and what is beyond the last.

    An answer of 101 to TUNNEL is the last.

    `closed` says that the connection has ended in good order behind these bytes. The last answer
    may be incomplete, with status 0 if not even its head has come.
    Raises h11.RemoteProtocolError when it is not HTTP.
    """
    answers: list[Answer] = []
    for method in methods:
        if not raw:
            break
        answer, raw = _answer_by_h11(raw, method, closed)
        answers.append(answer)
        if answer.status == 101 or not answer.complete:
            break
    return answers, raw


def _answer_by_h11(raw: bytes, method: bytes, closed: bool) -> tuple[Answer, bytes]:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST)
    lines = [("Host", "h")]
    if method == TUNNEL:
        method, lines = b"GET", [*lines, ("Connection", "Upgrade"), ("Upgrade", "websocket")]
    connection.send(h11.Request(method=method, target=b"/", headers=lines))
    connection.send(h11.EndOfMessage())
    connection.receive_data(raw)
    answer: Answer | None = None
    interim, told = list[int](), False
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            if not told:
                raise
            return answer or Answer(interim=interim), b""  # it ends in the middle
        match event:
            case h11.InformationalResponse(status_code=101):
                return Answer(101, complete=True, interim=interim), connection.trailing_data[0]
            case h11.InformationalResponse():
                interim.append(event.status_code)
            case h11.Response():
                fields = [(bytes(name), bytes(value)) for name, value in event.headers]
                answer = Answer(event.status_code, fields, interim=interim)
            case h11.Data() if answer is not None:
                answer.body += bytes(event.data)
            case h11.EndOfMessage() if answer is not None:
                answer.complete = True
                answer.trailers = [(bytes(name), bytes(value)) for name, value in event.headers]
                return answer, connection.trailing_data[0]
            case h11.NEED_DATA if closed and not told:
                told = True
                connection.receive_data(b"")
            case _:
                return answer or Answer(interim=interim), b""


def answers_by_llhttp(raw: bytes) -> list[Answer]:
    """Read one exchange's answers with llhttp, interim ones included, which it takes for others.

    It has no mode for HEAD, and none for the end of a connection: a body without a length is never
    complete.
    """
    listener = _Listener()
    listener.parser = httptools.HttpResponseParser(listener)
    listener.parser.feed_data(raw)
    return [
        Answer(int(seen.method), seen.fields, seen.body, seen.complete)
        for seen in listener.seen
        if seen.method
    ]
