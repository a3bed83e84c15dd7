"""Bytes of an upstream: what is relayed is read by everybody as one answer, the same one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from proxy.serving.relay import Relay
from proxy.wire.errors import ResponseError
from proxy.wire.fields import HOP_BY_HOP
from proxy.wire.forwarding import write_interim, write_response
from proxy.wire.message import ResponseHead
from proxy.wire.parser import END, ResponseParser
from tests.fuzz.splits import splits
from tests.fuzz.witnesses import Answer, Fields, answers_by_h11, answers_by_llhttp, fields_of
from tests.support_wire import read_request_head, response_events

METHODS: Final = ("GET", "HEAD")
_ASKED: Final = {
    (method, minor): read_request_head(b"%b / HTTP/1.%d\r\nHost: h\r\n\r\n" % (method, minor))
    for method in (b"GET", b"HEAD")
    for minor in (0, 1)
}
_EXTRA: Final = b"Cutover-Side: legacy\r\n"
_OURS: Final = frozenset({b"transfer-encoding", b"connection", b"cutover-side", b"trailer"})
_NO_TRAILERS: Final = frozenset(
    {
        b"content-length", b"transfer-encoding", b"host", b"set-cookie", b"cookie",
        b"authorization",
        b"content-type", b"content-encoding", b"content-range", b"location", b"cache-control",
        b"cutover-side", b"connection", b"trailer", b"te", b"upgrade", b"x-forwarded-for", b"vary",
    }
)  # fmt: skip


def one(data: bytes) -> None:
    """Read an answer in several splits, relay it, and let others read it."""
    for method in METHODS:
        told = response_events([data], method, closed=True)
        for pieces in splits(data):
            again = response_events(pieces, method, closed=True)
            assert again == told, "the verdict depends on the split"
        if not told or told[0][0] == "refused":
            continue
        for minor in (0, 1):
            _relay(data, method.encode(), minor)


@dataclass
class Relayed:
    """What a client of HTTP/1.`minor` receives of an answer, and what we understood of it."""

    written: bytes = b""
    understood: Answer | None = None
    until_close: bool = False
    refused: bool = False


def relayed(raw: bytes, method: bytes, minor: int) -> Relayed:
    """Do as the proxy does with an answer behind which the upstream closes in good order."""
    it, asked, relay = Relayed(), _ASKED[method, minor], None
    parser = ResponseParser(method.decode())
    parser.receive(raw)
    try:
        while (event := parser.next()) is not None and event is not END:
            if isinstance(event, bytes):
                assert it.understood is not None
                assert relay is not None
                it.understood.body += event
                it.written += relay.take(event)
            elif event.status < 200:
                it.refused = it.refused or event.status == 101
                if minor and event.status not in (100, 101):
                    it.written += write_interim(event)
            else:
                head, chunked = write_response(event, asked, _EXTRA, close=False)
                relay = Relay(event, chunked=chunked)
                it.understood = Answer(event.status, fields_of(head))
                it.until_close = event.length < 0 and not chunked
                it.written += head
                _check_fields(event, it.understood.fields)
    except ResponseError:
        it.refused = True
    if relay is not None and it.understood is not None:
        it.understood.complete = parser.ended or parser.finish() is END
        if it.understood.complete and relay.chunked:
            it.written += relay.end(parser.trailers)
    return it


def _relay(data: bytes, method: bytes, minor: int) -> None:
    it = relayed(data, method, minor)
    ours = it.understood
    if it.refused or ours is None:
        return
    closed = it.until_close and ours.complete
    answers, beyond = answers_by_h11(it.written, [method], closed=closed)
    assert beyond == b"", "there is more than one answer"
    assert [(a.status, a.body) for a in answers] == [(ours.status, ours.body)], "h11 disagrees"
    assert answers[0].fields == ours.fields
    assert answers[0].complete == ours.complete
    named = dict(ours.fields).get(b"trailer", b"").lower().replace(b" ", b"").split(b",")
    for name, _ in answers[0].trailers:
        assert name in named, "a trailer that was not announced"
        assert name not in _NO_TRAILERS, name
    *interim, last = answers_by_llhttp(it.written) if method != b"HEAD" else [ours]
    assert all(100 < answer.status < 200 for answer in interim)
    assert (last.status, last.fields, last.body) == (ours.status, ours.fields, ours.body), "llhttp"
    assert last.complete == ours.complete or it.until_close or ours.status == 304


def _check_fields(head: ResponseHead, written: Fields) -> None:
    """Say that what remains is the upstream's own, as it was, with one framing of ours."""
    names = [name for name, _ in written]
    assert names.count(b"content-length") + names.count(b"transfer-encoding") <= 1
    assert names.count(b"cutover-side") == 1
    for name in names:
        assert name in _OURS or name not in HOP_BY_HOP, name
        assert name in _OURS or not name.startswith(b"cutover-"), name
    cookies = [value for name, value in written if name == b"set-cookie"]
    assert cookies == [field.value for field in head.fields if field.name == b"set-cookie"]
