from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from shadow_compare.normalize import Answer
from shadow_compare.refusals import IN_A_ROW, Refusals
from shadow_compare.transport import (
    BrokenError,
    Origin,
    SparedError,
    Transport,
    UnreachableError,
    _Connection,
)
from tests.support_tls import NAME, echo, make_pair, serving

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
BODY_MAX = 1000


class Server:
    """Sends prepared bytes per request, hangs up when told, and counts connections."""

    def __init__(self) -> None:
        self.replies: list[bytes | None] = []
        self.hangs_up = False
        self.connections = 0
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Send the next reply for each request; None, or no reply left, hangs up."""
        self.connections += 1
        self.writers.append(writer)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                reply = self.replies.pop(0) if self.replies else None
                if reply is None:
                    break
                writer.write(reply)
                if self.hangs_up:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Give a listening server."""
    found = Server()
    listener = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = listener.sockets[0].getsockname()[1]
    yield found
    listener.close()
    for writer in found.writers:
        writer.close()


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    """Give a transport that is closed in the end."""
    found = Transport(BODY_MAX, 1.0, time.monotonic)
    yield found
    found.close()


async def ask(
    transport: Transport, server: Server, *replies: bytes | None, is_head: bool = False
) -> Answer:
    """Let the server reply, and ask once."""
    server.replies += replies
    async with asyncio.timeout(5):
        return await transport.exchange(Origin("127.0.0.1", server.port), GET, is_head=is_head)


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
            b"ok",
        ),
        (
            b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            b"ok",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    ],
)
async def test_answers_are_read_to_their_end_and_the_connection_kept(
    transport: Transport, server: Server, reply: bytes, body: bytes
) -> None:
    """By length, by chunks, after an informational answer: the next request goes the same way."""
    for _ in range(2):
        answer = await ask(transport, server, reply)
        assert (answer.status, answer.body) == (200, body)
        assert answer.header("link") is None
    assert server.connections == 1


async def test_head_may_come_in_one_piece_with_a_long_body() -> None:
    """What is read at once may be longer than any head; the head in it is short all the same."""
    connection = _Connection(1_000_000)
    connection.connection_made(Mock(spec=asyncio.Transport))
    asked = asyncio.ensure_future(connection.ask(GET, is_head=False))
    await asyncio.sleep(0)
    body = b"x" * 200_000
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + body)
    assert (await asked).body == body


@pytest.mark.parametrize(
    ("reply", "is_head", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", False, b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", False, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", True, b""),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", False, b"ok"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", False, b"ok"),
    ],
)
async def test_answers_after_which_the_connection_is_not_kept(
    transport: Transport, server: Server, reply: bytes, is_head: bool, body: bytes
) -> None:
    """Answers without a body, and those that say so, are complete at once."""
    for _ in range(2):
        answer = await ask(transport, server, reply, is_head=is_head)
        assert answer.body == body
    assert server.connections == 2


async def test_answer_may_end_with_the_connection(transport: Transport, server: Server) -> None:
    """Without a length the body ends when the server hangs up."""
    server.hangs_up = True
    assert (await ask(transport, server, b"HTTP/1.1 200 OK\r\n\r\nok")).body == b"ok"


async def test_headers_keep_order_and_repetition(transport: Transport, server: Server) -> None:
    """Names become lower case; values stay, also where bytes are no ASCII."""
    lines = (b"Set-Cookie: a", b"X: \xe9, b", b"Set-Cookie: c", b"Content-Length: 0", b"", b"")
    reply = b"\r\n".join((b"HTTP/1.1 200 OK", *lines))
    answer = await ask(transport, server, reply)
    assert answer.headers == (
        ("set-cookie", "a"), ("x", "é, b"), ("set-cookie", "c"), ("content-length", "0"),
    )  # fmt: skip


async def test_long_body_is_cut_and_the_connection_given_up(
    transport: Transport, server: Server
) -> None:
    """Beyond the maximum nothing more is read."""
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 5000
    answer = await ask(transport, server, long)
    assert (answer.truncated, answer.body) == (True, b"")
    await ask(transport, server, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert server.connections == 2


@pytest.mark.parametrize(
    "reply",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nrest",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000,
        None,
    ],
)
async def test_answers_that_break_http_are_told(
    transport: Transport, server: Server, reply: bytes | None
) -> None:
    """Whatever is no answer ends in one error, soon."""
    with pytest.raises(BrokenError):
        await ask(transport, server, reply)


async def test_connection_that_ends_in_the_middle_is_told(
    transport: Transport, server: Server
) -> None:
    """Half an answer is none."""
    server.hangs_up = True
    with pytest.raises(BrokenError):
        await ask(transport, server, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")


async def test_kept_connection_that_was_closed_is_replaced(
    transport: Transport, server: Server
) -> None:
    """A server may close an idle connection just as it is used: the request is sent once more."""
    fine = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    await ask(transport, server, fine)
    answer = await ask(transport, server, None, fine)
    assert answer.status == 200
    assert server.connections == 2


async def test_second_answer_to_one_request_is_not_taken_for_the_next(
    transport: Transport, server: Server
) -> None:
    """Bytes beyond an answer give the connection up, so that answers are never mixed up."""
    fine = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
    assert (await ask(transport, server, fine + b"a" + fine + b"b")).body == b"a"
    assert (await ask(transport, server, fine + b"c")).body == b"c"
    assert server.connections == 2


async def test_nobody_listening_is_unreachable(transport: Transport) -> None:
    """A refused connection is told apart from a broken one."""
    with pytest.raises(UnreachableError):
        await transport.exchange(Origin("127.0.0.1", 9), GET, is_head=False)


async def test_an_origin_that_refuses_is_spared(server: Server) -> None:
    """After many refusals nobody asks it for 0.1 s; then one does, and once it is back all do."""
    now = [0.0]
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # taken, and nobody listens
        refusing = Origin("127.0.0.1", silent.getsockname()[1])
        transport = Transport(BODY_MAX, 1.0, lambda: now[0], Refusals())
        for _ in range(IN_A_ROW):
            assert not transport.spares(refusing)
            with pytest.raises(UnreachableError):
                await transport.exchange(refusing, GET, is_head=False)
        silent.listen()
        assert transport.spares(refusing)
        with pytest.raises(SparedError):
            await transport.exchange(refusing, GET, is_head=False)
        # Another one is none of its business.
        fine = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        assert (await ask(transport, server, fine)).status == 200
        now[0] = 0.11
        asked = asyncio.create_task(transport.exchange(refusing, GET, is_head=False))
        silent.setblocking(False)
        taken, _ = await asyncio.get_running_loop().sock_accept(silent)
        with taken:
            await asyncio.get_running_loop().sock_sendall(taken, fine)
            assert (await asked).status == 200
        transport.close()


async def test_idle_connections_are_not_used_for_long(server: Server) -> None:
    """After the time that servers keep them, idle connections are not tried any more."""
    now = [0.0]
    transport = Transport(BODY_MAX, 1.0, lambda: now[0])
    fine = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    await ask(transport, server, fine)
    now[0] = 3.9
    await ask(transport, server, fine)
    assert server.connections == 1
    now[0] = 8.0
    await ask(transport, server, fine)
    assert server.connections == 2
    transport.close()


async def test_an_instance_is_asked_over_tls(transport: Transport, tmp_path: Path) -> None:
    """Verified for the name it is to have; a certificate for another one is no connection."""
    pair = make_pair(tmp_path)
    trusting = ssl.create_default_context(cafile=pair.cert)
    with serving(pair.server(), echo) as port:
        origin = Origin("127.0.0.1", port, trusting, NAME)
        for _ in range(2):
            answer = await transport.exchange(origin, GET, is_head=False)
            assert (answer.status, answer.body) == (200, b"/")
        for context, name in ((trusting, "other.test"), (ssl.create_default_context(), NAME)):
            with pytest.raises(UnreachableError):
                await transport.exchange(
                    Origin("127.0.0.1", port, context, name), GET, is_head=False
                )
        transport.close()
