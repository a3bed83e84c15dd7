"""What leaves: message heads written afresh from what was understood (RFC 9110, 7.6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from typing import Final

from proxy.wire.fields import Role
from proxy.wire.framing import CHUNKED, NO_BODY
from proxy.wire.grammar import HOST
from proxy.wire.message import FieldBlock, RequestHead, ResponseHead
from proxy.wire.rewriting import Rewriting

VIA: Final = b"1.1 cutover"
HTTP: Final = b"http"
HTTPS: Final = b"https"

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9\-_.:+/=@]{1,128}")
_TRACEPARENT: Final = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
_ADDRESS: Final = re.compile(rb"[0-9A-Fa-f:.]{2,45}")
_REWRITTEN: Final = frozenset(
    {
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"forwarded",
        b"via",
    }
)
_UPGRADE: Final = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class Peer:
    """Who is at the other end of a client connection, as the upstream will be told.

    `address` is the text of the IP, `trusted` whether its own account of the client is believed.
    """

    __slots__ = ("_untrusted", "address", "port", "scheme", "trusted")

    def __init__(
        self, address: str, port: int, scheme: bytes = HTTP, trusted: bool = False
    ) -> None:
        self.address = address.encode()
        self.port = b"%d" % port
        self.scheme = scheme
        self.trusted = trusted
        self._untrusted: tuple[bytes, bytes] = (b"", b"")

    def provenance(self, head: RequestHead) -> bytes:
        """Write X-Forwarded-*, Forwarded and Via for this request, each line with its CRLF."""
        if self.trusted:
            return self._appended(head)
        # One client connection asks for one host, again and again.
        host, block = self._untrusted
        if host != head.host:
            block = self._lines(
                self.address, self.scheme, head.host, self.port, self._forwarded(head.host), VIA
            )
            self._untrusted = (head.host, block)
        return block

    def client_address(self, head: RequestHead, trusts: Callable[[str], bool]) -> bytes:
        """Address of the client: the right-most entry of the chain that nobody vouches for."""
        if not self.trusted:
            return self.address
        address = self.address
        chain = b",".join(_values(head, b"x-forwarded-for"))
        for part in reversed(chain.split(b",")):
            entry = part.strip(b" \t")
            if _ADDRESS.fullmatch(entry) is None:
                break
            address = entry
            if not trusts(entry.decode()):
                break
        return address

    def origin(self, head: RequestHead) -> tuple[bytes, bytes]:
        """Scheme and host under which the client knows us; a trusted peer may know better."""
        if not self.trusted:
            return self.scheme, head.host
        scheme = _first(head, b"x-forwarded-proto").lower()
        host = _first(head, b"x-forwarded-host")
        return (
            scheme if scheme in (b"http", b"https") else self.scheme,
            host if HOST.fullmatch(host) else head.host,
        )

    def _appended(self, head: RequestHead) -> bytes:
        rewritten = self._lines(
            b", ".join([*_values(head, b"x-forwarded-for"), self.address]),
            head.get(b"x-forwarded-proto") or self.scheme,
            head.get(b"x-forwarded-host") or head.host,
            head.get(b"x-forwarded-port") or self.port,
            b", ".join([*_values(head, b"forwarded"), self._forwarded(head.host)]),
            b", ".join([*_values(head, b"via"), VIA]),
        )
        believed = (
            field.line + b"\r\n"
            for field in head.fields
            if field.role is Role.PROVENANCE and field.name not in _REWRITTEN
        )
        return rewritten + b"".join(believed)

    def _forwarded(self, host: bytes) -> bytes:
        address = b'"[%b]"' % self.address if b":" in self.address else self.address
        return b'for=%b;host="%b";proto=%b' % (address, host, self.scheme)

    @staticmethod
    def _lines(
        chain: bytes, scheme: bytes, host: bytes, port: bytes, forwarded: bytes, via: bytes
    ) -> bytes:
        return (
            b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\nX-Forwarded-Host: %b\r\n"
            b"X-Forwarded-Port: %b\r\nForwarded: %b\r\nVia: %b\r\n"
            % (chain, scheme, host, port, forwarded, via)
        )


def _values(head: RequestHead, name: bytes) -> list[bytes]:
    """Values of all lines of a field, without empty ones."""
    return [field.value for field in head.fields if field.name == name and field.value]


def _first(head: RequestHead, name: bytes) -> bytes:
    """The first of the listed values of a field, which is what the client itself was asked by."""
    return (head.get(name) or b"").partition(b",")[0].strip(b" \t")


def request_id(head: RequestHead, trusted: bool) -> bytes | None:
    """Give the request id that a trusted peer has set, if it is a harmless one."""
    if not trusted:
        return None
    value = head.get(b"x-request-id")
    return value if value is not None and _REQUEST_ID.fullmatch(value) else None


def traceparent(head: RequestHead) -> bytes | None:
    """Give the trace context that came in, if it is a valid one (W3C Trace Context, 3.2)."""
    value = head.get(b"traceparent") if head.block.traced else None
    return value if value is not None and _TRACEPARENT.fullmatch(value) else None


def write_request(
    head: RequestHead,
    provenance: bytes,
    identifier: bytes,
    trace: bytes,
    allowed: Container[bytes],
    *,
    rewriting: Rewriting | None = None,
    expect: bool = False,
) -> bytes:
    """Write the head that the upstream receives.

    One Host, our account of the client, our framing; of the client's fields those that are meant
    for the upstream, and names with `_` or `.` only when `allowed`. `expect` says that the client
    waits for a 100 before it sends the body.
    """
    block = head.block
    forwarded = forwarded_lines(block, allowed)
    target, host = head.target, head.host
    if rewriting is not None:
        target, host = rewriting.target(target), rewriting.host or host
        forwarded = rewriting.request(forwarded)
    if head.length > 0:
        framing = b"Content-Length: %d\r\n" % head.length
    elif head.length == CHUNKED:
        framing = b"Transfer-Encoding: chunked\r\n"
    elif head.method in _WITH_BODY:
        framing = b"Content-Length: 0\r\n"
    else:
        framing = _UPGRADE if head.websocket else b""
    if expect:
        framing += b"Expect: 100-continue\r\n"
    return b"%b %b HTTP/1.1\r\nHost: %b\r\n%b%b%bX-Request-Id: %b\r\ntraceparent: %b\r\n\r\n" % (
        head.method.encode(),
        target,
        host,
        forwarded,
        provenance,
        framing,
        identifier,
        trace,
    )


def forwarded_lines(block: FieldBlock, allowed: Container[bytes]) -> bytes:
    """The lines meant for the upstream, with those names that the rules let through."""
    if not block.counted:
        return block.forwarded
    forward, counted = Role.FORWARD, Role.COUNTED
    return b"".join(
        field.line + b"\r\n"
        for field in block.fields
        if field.role is forward or (field.role is counted and field.name in allowed)
    )


def write_response(
    head: ResponseHead,
    request: RequestHead,
    extra: bytes,
    close: bool,
    *,
    fields: bytes | None = None,
) -> tuple[bytes, bool]:
    """Write the head that the client receives; gives (bytes, whether the body is to be chunked).

    A body that ends with the upstream's connection, or came in chunks, goes on in chunks to a
    client of HTTP/1.1, and ends with the connection for one of HTTP/1.0. `extra` is lines of ours,
    `fields` what the answer's own have been rewritten to, each line with its CRLF.
    """
    chunked = False
    if head.declared is not None and head.length >= NO_BODY and head.status != 204:
        framing = b"Content-Length: %b\r\n" % head.declared
    elif head.length < NO_BODY and request.minor == 1:
        chunked = True
        framing = b"Transfer-Encoding: chunked\r\n"
        if head.block.trailers is not None and head.length == CHUNKED:
            framing = head.block.trailers.line + framing
    else:
        framing = b""
    if close:
        framing += b"Connection: close\r\n"
    elif request.minor == 0:
        framing += b"Connection: keep-alive\r\n"
    written = b"HTTP/1.1 %d %b\r\n%b%b%b\r\n" % (
        head.status,
        head.reason,
        head.block.forwarded if fields is None else fields,
        extra,
        framing,
    )
    return written, chunked


def write_interim(head: ResponseHead, fields: bytes | None = None) -> bytes:
    """Write an interim answer, such as 103 Early Hints; `fields` as for `write_response`."""
    lines = head.block.forwarded if fields is None else fields
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (head.status, head.reason, lines)


def write_switching(head: ResponseHead, extra: bytes, fields: bytes | None = None) -> bytes:
    """Write the 101 behind which the connection is a tunnel.

    `extra` is lines of ours, `fields` as for `write_response`, each line with its CRLF.
    """
    return b"HTTP/1.1 101 %b\r\n%b%b%b\r\n" % (
        head.reason,
        head.block.forwarded if fields is None else fields,
        extra,
        _UPGRADE,
    )


CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

_REASONS: Final = {
    400: b"Bad Request",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    413: b"Content Too Large",
    414: b"URI Too Long",
    417: b"Expectation Failed",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    404: b"Not Found",
    501: b"Not Implemented",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
    505: b"HTTP Version Not Supported",
}


def write_own(
    status: int,
    reason: str,
    *,
    close: bool,
    head_only: bool = False,
    extra: bytes = b"",
    retry_after: int = 1,
) -> bytes:
    """Write an answer of our own: a refusal or a failure, with one plain sentence.

    `retry_after` is seconds, told with the statuses that mean to come again.
    """
    if status == 405:
        extra += b"Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
    if status in (429, 503):
        extra += b"Retry-After: %d\r\n" % retry_after
    text = b"%d %b: %b\n" % (status, _REASONS[status], reason.encode("utf-8"))
    return write_text(status, text, close=close, head_only=head_only, extra=extra)


def write_text(
    status: int, text: bytes, *, close: bool, head_only: bool = False, extra: bytes = b""
) -> bytes:
    """Write an answer of our own that is this text."""
    return (
        b"HTTP/1.1 %d %b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n"
        b"Cache-Control: no-store\r\n%b%b\r\n%b"
        % (
            status,
            _REASONS.get(status, b"OK"),
            len(text),
            extra,
            b"Connection: close\r\n" if close else b"",
            b"" if head_only else text,
        )
    )
