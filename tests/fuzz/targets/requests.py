"""Bytes of a client: what is accepted is written so that no parser can read anything else in it."""

from __future__ import annotations

import re
from typing import Final

from proxy.wire.chunked import LAST_CHUNK, chunk
from proxy.wire.errors import RequestError
from proxy.wire.fields import HOP_BY_HOP
from proxy.wire.forwarding import Peer, write_request
from proxy.wire.framing import CHUNKED
from proxy.wire.message import RequestHead
from proxy.wire.parser import END, RequestParser
from tests.fuzz.splits import splits
from tests.fuzz.witnesses import Seen, fields_of, requests_by_h11, requests_by_llhttp
from tests.support_wire import request_events

PEERS: Final = (
    Peer("192.0.2.1", 80),
    Peer("2001:db8::1", 443, b"https", trusted=True),
)
# Among them names that the rules would not take: the wire must not rest on that.
ALLOWED: Final = frozenset(
    {b"a_b", b"content_length", b"transfer.encoding", b"x_forwarded_for", b"cutover_side"}
)

_LINE: Final = re.compile(rb"[^\x00-\x20:\x7f-\xff]+: ?[^\x00-\x08\x0a-\x1f\x7f]*")
_ONCE: Final = ("HOST", "X_FORWARDED_FOR", "X_FORWARDED_PROTO", "X_FORWARDED_HOST",
                "X_FORWARDED_PORT", "FORWARDED", "VIA", "X_REQUEST_ID", "TRACEPARENT")  # fmt: skip
_NEVER: Final = {"PROXY", "EXPECT"} | {
    name.decode().upper().replace("-", "_") for name in HOP_BY_HOP - {b"transfer-encoding"}
}
_BELIEVED: Final = {"X_REAL_IP", "X_CLIENT_IP", "X_CLUSTER_CLIENT_IP", "TRUE_CLIENT_IP"}


def one(data: bytes) -> None:
    """Read requests in several splits, write them, and let others read them."""
    told = request_events([data])
    for pieces in splits(data):
        assert request_events(pieces) == told, "the verdict depends on the split"
    if not told or told[0][0] == "refused":
        return
    for peer in PEERS:
        understood, out = rewritten(data, peer)
        assert requests_by_llhttp(out) == understood, "llhttp reads something else"
        assert requests_by_h11(out) == understood, "h11 reads something else"
        for seen in understood:
            check_fields(seen, trusted=peer.trusted)


def rewritten(raw: bytes, peer: Peer = PEERS[0]) -> tuple[list[Seen], bytes]:
    """Do as the proxy does: give what it understood, and the bytes that an upstream receives."""
    parser = RequestParser()
    parser.receive(raw)
    understood: list[Seen] = []
    out, head = b"", None
    try:
        while (event := parser.next()) is not None:
            if isinstance(event, RequestHead):
                head = event
                written = write_request(
                    head, peer.provenance(head), b"id", b"trace", ALLOWED,
                    expect=head.expects_continue,
                )  # fmt: skip
                check_lines(written)
                understood.append(Seen(head.method.encode(), head.target, fields_of(written)))
                out += written
            elif event is END:
                understood[-1].complete = True
                out += LAST_CHUNK if head is not None and head.length == CHUNKED else b""
                parser.restart()
            else:
                piece = bytes(event)
                understood[-1].body += piece
                out += chunk(piece) if head is not None and head.length == CHUNKED else piece
    except RequestError:
        pass
    return understood, out


def check_lines(head: bytes) -> None:
    """Say that a head consists of whole lines: no bare CR or LF, no fold, no control character."""
    assert head.endswith(b"\r\n\r\n")
    first, *lines = head[:-4].split(b"\r\n")
    assert re.fullmatch(rb"[A-Z]+ [!-~]+ HTTP/1\.1", first), first
    for line in lines:
        assert _LINE.fullmatch(line), line


def check_fields(seen: Seen, *, trusted: bool) -> None:
    """Say that an upstream, even one that folds names as PHP does, is told everything once."""
    fields = dict(seen.fields)
    if seen.upgrades:  # in our words, and only so
        assert seen.method == b"GET"
        assert (fields.pop(b"connection"), fields.pop(b"upgrade")) == (b"Upgrade", b"websocket")
        assert not {b"content-length", b"transfer-encoding", b"expect"} & set(fields)
    if fields.pop(b"expect", b"100-continue") != b"100-continue":
        raise AssertionError("another expectation")
    folded = [_folded(name) for name, _ in seen.fields]
    for name in _ONCE:
        assert folded.count(name) == 1, (name, seen.fields)
    framings = [value for name, value in seen.fields
                if _folded(name) in ("CONTENT_LENGTH", "TRANSFER_ENCODING")]  # fmt: skip
    assert len(framings) <= 1, framings
    assert all(value == b"chunked" or str(int(value)).encode() == value for value in framings)
    assert folded.count("EXPECT") <= 1
    assert all(folded.count(name) <= 1 for name in ("UPGRADE", "CONNECTION"))
    for name in map(_folded, fields):
        assert name not in _NEVER, name
        assert not name.startswith("CUTOVER_"), name
        if not trusted:
            assert name in _ONCE or not name.startswith("X_FORWARDED_"), name
            assert name not in _BELIEVED, name


def _folded(name: bytes) -> str:
    """The key under which PHP keeps a field, where three characters are one."""
    return name.decode("ascii").upper().replace("-", "_").replace(".", "_")
