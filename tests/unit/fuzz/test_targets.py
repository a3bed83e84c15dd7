"""The targets can fail: each one sees the faults that it is there for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proxy.routing.side import Side
from proxy.serving.downstream import Downstream
from proxy.serving.exchange import Exchange
from proxy.upstream.connection import UpstreamConnection
from proxy.wire.chunked import ChunkedReader
from proxy.wire.errors import WireError
from proxy.wire.forwarding import write_request, write_response
from proxy.wire.message import ResponseHead
from proxy.wire.parser import ResponseParser
from proxy.wire.target import normal_path
from tests.fuzz.play import Play
from tests.fuzz.seeds import CORPUS
from tests.fuzz.targets import answers, chunks, exchange, fields, paths, requests

GET = b"GET /a HTTP/1.1\r\nHost: h\r\nA_B: 1\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde"
Patch = pytest.MonkeyPatch


def _with(old: bytes, new: bytes) -> Callable[..., Any]:
    """Give a writer of requests that makes one mistake."""

    def write(*a: Any, **b: Any) -> bytes:
        return write_request(*a, **b).replace(old, new)

    return write


@pytest.mark.parametrize(
    ("raw", "old", "new"),
    [
        (GET, b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n"),
        (GET, b"Via:", b"X: 1\rVia:"),
        (GET, b"Via:", b" folded\r\nVia:"),
        (GET, b"Via:", b"Keep-Alive: 1\r\nVia:"),
        (GET, b"Via:", b"Cutover_Side: legacy\r\nVia:"),
        (GET, b"Via:", b"X_Forwarded_For: 1\r\nVia:"),
        (GET, b"A_B:", b"Host:"),
        (GET, b"/a", b"/b"),
        (POST, b"Content-Length: 5", b"Content-Length: 4"),
        (POST, b"Content-Length: 5", b"Content-Length: 5\r\nContent.Length: 5"),
        (POST, b"Content-Length: 5", b"Content-Length: 5\r\nTransfer-Encoding: chunked"),
    ],
)
def test_requests_written_wrongly(monkeypatch: Patch, raw: bytes, old: bytes, new: bytes) -> None:
    """A second framing, a broken line, a field that must not pass: each is seen."""
    requests.one(raw)
    monkeypatch.setattr(requests, "write_request", _with(old, new))
    with pytest.raises(Exception):  # noqa: B017, PT011 - our check's or a witness's, whoever is first
        requests.one(raw)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Content-Length: 5", b"Content-Length: 6"),
        (b"Content-Length: 5", b"Content-Length: 4"),
        (b"Content-Length: 5", b"Content-Length: 5\r\nTransfer-Encoding: chunked"),
        (b"Content-Length: 5", b"Content-Length: 5\r\nUpgrade: x"),
        (b"200 OK", b"201 OK"),
    ],
)
def test_answers_written_wrongly(monkeypatch: Patch, old: bytes, new: bytes) -> None:
    """Another length, another status, a field of one hop: each is seen."""

    def write(*a: Any, **b: Any) -> tuple[bytes, bool]:
        head, chunked = write_response(*a, **b)
        return head.replace(old, new), chunked

    answers.one(OK)
    monkeypatch.setattr(answers, "write_response", write)
    with pytest.raises(Exception):  # noqa: B017, PT011 - our check's or a witness's, whoever is first
        answers.one(OK)


def test_a_verdict_that_depends_on_the_split(monkeypatch: Patch) -> None:
    """A reader that only takes whole bodies is seen, and one that takes broken ones."""

    class Hasty(ChunkedReader):
        def take(self, data: bytes) -> tuple[bytes, bytes]:
            if not data.endswith(b"\r\n"):
                raise WireError("more was expected")
            return super().take(data)

    class Lenient(ChunkedReader):
        def take(self, data: bytes) -> tuple[bytes, bytes]:
            return super().take(data.replace(b"5 \r\n", b"5\r\n"))

    for reader, raw in (
        (Hasty, b"5\r\nabcde\r\n0\r\n\r\n"),
        (Lenient, b"5 \r\nabcde\r\n0\r\n\r\n"),
    ):
        chunks.one(raw)
        with monkeypatch.context() as patch:
            patch.setattr(chunks, "ChunkedReader", reader)
            with pytest.raises(AssertionError):
                chunks.one(raw)


@pytest.mark.parametrize(
    "raw", [b"/a//b", b"/a/./b", b"/a/../b", b"/%41", b"/%2f", b"/%e4%2e%2e/x"]
)
def test_paths_left_as_they_are(monkeypatch: Patch, raw: bytes) -> None:
    """A path that is not normalised, or not refused, is seen."""
    paths.one(raw)
    monkeypatch.setattr(paths, "normal_path", lambda path: path)
    with pytest.raises(AssertionError):
        paths.one(raw)
    monkeypatch.setattr(paths, "normal_path", lambda path: normal_path(path) + b"/x")
    with pytest.raises(AssertionError):
        paths.one(b"/")


@pytest.mark.parametrize("value", [b"+5", b"5_0", b"05", b" 5", b"5, 5", b"\xd9\xa5"])
def test_numbers_read_too_kindly(monkeypatch: Patch, value: bytes) -> None:
    """A length that Python would read, and the grammar does not, is seen."""
    fields.one(value)
    monkeypatch.setattr(fields, "request_length", lambda lengths, _, __: int(lengths[0].value, 0))
    with pytest.raises((AssertionError, ValueError)):
        fields.one(value)


def _kept(name: str) -> bytes:
    return (CORPUS / "exchange" / name).read_bytes()


def _politely(self: Downstream) -> None:
    """End a connection on which an answer was cut off as if it had been complete."""
    self.exchange = None
    self._closing = True
    self._transport.write_eof()
    self._transport.abort()


SABOTAGE: list[tuple[str, str, str, object, str]] = [
    ("stale-connection-post", "proxy.serving.second", "may_retry",
     lambda *_, **__: True, "sent twice"),
    ("cut-off-relayed", "proxy.serving.downstream.Downstream", "reset", _politely, "invented"),
    ("pipelined-post", "proxy.serving.exchange", "write_request",
     _with(b"Content-Length: 5", b"Content-Length: 4"), ""),
    ("half-close", "proxy.serving.exchange", "write_request",
     _with(b"/l/", b"/m/"), "nobody asked"),
    ("early-answer", "proxy.serving.downstream.Downstream", "on_tick",
     lambda *_: None, "outlives"),
    ("echo", "proxy.serving.admission.Admission", "leave", lambda _: None, ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("script", "where", "what", "instead", "said"), SABOTAGE, ids=[row[2] for row in SABOTAGE]
)
def test_a_plane_that_errs(
    monkeypatch: Patch, script: str, where: str, what: str, instead: object, said: str
) -> None:
    """A POST sent twice, an end that was invented, an exchange that never ends: each is seen."""
    exchange.one(_kept(script))
    monkeypatch.setattr(f"{where}.{what}", instead)
    with pytest.raises(Exception, match=said or None):
        exchange.one(_kept(script))


def _carelessly(self: Exchange, connection: UpstreamConnection, response: ResponseHead) -> None:
    """Let the next one use a connection whatever has come behind its answer."""
    self.pool.release(connection, self.plane.now(), response.idle_hint)


def _with_the_rest(self: ResponseParser, method: str) -> None:
    """Expect the next answer in what is left of the bytes of the last."""
    rest = getattr(self, "_buffer", b"")
    RESTART(self, method)
    self._buffer = rest


RESTART = ResponseParser.restart


def test_bytes_behind_an_answer_that_are_kept(monkeypatch: Patch) -> None:
    """An upstream that says more than it was asked must not answer who comes next on it."""
    script = _kept("surplus")
    exchange.one(script)
    monkeypatch.setattr(Exchange, "give_back", _carelessly)
    exchange.one(script)  # to use the connection again is harmless while the bytes are forgotten
    monkeypatch.setattr(ResponseParser, "restart", _with_the_rest)
    with pytest.raises(AssertionError, match="an answer to somebody else"):
        exchange.one(script)
    monkeypatch.undo()
    exchange.one(script)


async def test_an_answer_to_somebody_else() -> None:
    """Another request's answer is seen by its token, another body by its sum."""
    play = Play()
    for letter, payload in (
        (b"c", b"GET /l/@@ HTTP/1.1\r\nHost: h\r\n\r\n"),
        (b"a", b""),
        (b"w", b"0one"),
    ):
        await play.step(letter, payload)
    await play.end()
    (caller,) = play.callers
    sent = bytes(caller.transport.sent)
    exchange.judge(play)
    for old, new, said in (
        (b"X-Echo: T0K", b"X-Echo: T0K00000000\r\nY: ", "somebody else"),
        (b"one", b"two", "not what was sent"),
        (b"one", b"on", "invented"),
        (b"one", b"oneHTTP/1.1 200 OK\r\n\r\n", ""),
    ):
        caller.transport.sent[:] = sent.replace(old, new)
        with pytest.raises(Exception, match=said or None):
            exchange.judge(play)
    assert Side.LEGACY in play.scene.network
