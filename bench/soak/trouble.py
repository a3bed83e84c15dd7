"""Every bad client there is, again and again, and what came of each.

Run as a program: `python -m bench.soak.trouble PORT`. Works until SIGTERM, then prints one JSON
object: for each kind, how often it ended as it must (`fine`) and how often not, with an example.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

CLIENTS = 8
PATIENCE = 40.0
"""Seconds: longer than any deadline of the product, so that hanging shows as a surprise."""

RESET = struct.pack("ii", 1, 0)


class SurpriseError(Exception):
    """The proxy answered otherwise than it must; the text is what it did."""


@dataclass(slots=True)
class Talk:
    """One connection to the proxy, with the few moves that the kinds are made of."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    user: int

    @classmethod
    async def begin(cls, port: int, user: int) -> Talk:
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**18), user)

    def say(self, line: str, *fields: str, body: bytes = b"") -> None:
        """Send a request, or the beginning of one."""
        head = [f"{line} HTTP/1.1", "Host: bench.example", f"Cookie: PHPSESSID=t{self.user}"]
        self.writer.write(("\r\n".join((*head, *fields)) + "\r\n\r\n").encode() + body)

    async def status(self, wanted: int) -> bytes:
        """Read a head; raise SurpriseError unless it has this status."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        if head[9:12] != str(wanted).encode():
            raise SurpriseError(f"{head[:60]!r} instead of {wanted}")
        return head

    async def answer(self, wanted: int) -> None:
        """Read a whole answer."""
        head = (await self.status(wanted)).lower()
        if b"transfer-encoding: chunked" in head:
            await self.reader.readuntil(b"\r\n0\r\n\r\n")
            return
        before, found, rest = head.partition(b"content-length: ")
        del before
        await self.reader.readexactly(int(rest.split(b"\r", 1)[0]) if found else 0)

    async def is_closed(self) -> None:
        """Raise SurpriseError unless nothing more comes."""
        if more := await self.reader.read(100):
            raise SurpriseError(f"more than one answer: {more!r}")

    def reset(self) -> None:
        """Leave like a machine that was switched off."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.writer.transport.abort()


async def half_a_head(talk: Talk) -> None:
    """Leaves in the middle of a head."""
    talk.writer.write(b"GET /api/r1/1 HTTP/1.1\r\nHost: bench")
    await talk.writer.drain()


async def half_a_body(talk: Talk) -> None:
    """Leaves in the middle of a body."""
    talk.say(f"POST /post/{talk.user}", "Content-Length: 100000", body=b"x" * 10_000)
    await asyncio.sleep(0.01)
    talk.reset()


async def leaves_during_answer(talk: Talk) -> None:
    """Resets the connection when the answer has begun."""
    talk.say(f"GET /large/{talk.user}")
    await talk.reader.readexactly(4096)
    talk.reset()


async def leaves_before_answer(talk: Talk) -> None:
    """Resets the connection while a slow application answers."""
    talk.say(f"GET /slow/{talk.user}")
    await asyncio.sleep(0.02)
    talk.reset()


async def slow_reader(talk: Talk) -> None:
    """Reads 100 KB in pieces, with pauses."""
    talk.say(f"GET /large/{talk.user}")
    await talk.status(200)
    for _ in range(25):
        await talk.reader.readexactly(4096)
        await asyncio.sleep(0.01)


async def slow_writer(talk: Talk) -> None:
    """Sends a body in pieces, with pauses."""
    talk.say(f"POST /post/{talk.user}", "Content-Length: 10000")
    for _ in range(10):
        talk.writer.write(b"x" * 1000)
        await asyncio.sleep(0.01)
    await talk.answer(200)


async def chunked_upload(talk: Talk) -> None:
    """Sends chunks with an extension and a trailer."""
    body = b"400;a=b\r\n" + b"x" * 1024 + b"\r\n0\r\nX-Trailer: 1\r\n\r\n"
    talk.say(f"POST /post/{talk.user}", "Transfer-Encoding: chunked", body=body)
    await talk.answer(200)


async def slow_application(talk: Talk) -> None:
    """Waits for an answer that trickles."""
    talk.say(f"GET /slow/{talk.user}")
    await talk.answer(200)


async def failing_application(talk: Talk) -> None:
    """Gets the application's 500, twice on one connection."""
    for _ in range(2):
        talk.say(f"GET /error/{talk.user}")
        await talk.answer(500)


async def resetting_application(talk: Talk) -> None:
    """The application closes without an answer."""
    talk.say(f"GET /reset/{talk.user}")
    await talk.answer(502)


async def pipelined(talk: Talk) -> None:
    """Sends five requests at once and gets five answers."""
    for number in range(5):
        talk.say(f"GET /api/r{number}/{talk.user}")
    for _ in range(5):
        await talk.answer(200)


async def closing(talk: Talk) -> None:
    """Asks for the end of the connection, and gets it."""
    talk.say(f"GET /api/r2/{talk.user}", "Connection: close")
    await talk.answer(200)
    await talk.is_closed()


async def old_version(talk: Talk) -> None:
    """Speaks HTTP/1.0."""
    talk.writer.write(b"GET /chunked/1 HTTP/1.0\r\nHost: bench\r\n\r\n")
    await talk.status(200)
    body = await talk.reader.read(-1)
    if len(body) < 100_000:
        raise SurpriseError(f"an answer of {len(body)} bytes")


async def head_request(talk: Talk) -> None:
    """Asks for the head alone, then goes on."""
    talk.say(f"HEAD /large/{talk.user}")
    await talk.status(200)
    talk.say(f"GET /api/r3/{talk.user}")
    await talk.answer(200)


async def expecting(talk: Talk) -> None:
    """Waits for 100 before it sends the body."""
    talk.say(f"POST /post/{talk.user}", "Content-Length: 10", "Expect: 100-continue")
    await talk.status(100)
    talk.writer.write(b"0123456789")
    await talk.answer(200)


async def two_lengths(talk: Talk) -> None:
    """Tries to smuggle."""
    talk.say("POST /post/1", "Content-Length: 5", "Content-Length: 6", body=b"012345")
    await talk.answer(400)
    await talk.is_closed()


async def both_framings(talk: Talk) -> None:
    """Tries to smuggle in another way."""
    talk.say("POST /post/1", "Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\n")
    await talk.answer(400)
    await talk.is_closed()


async def endless_head(talk: Talk) -> None:
    """Sends more fields than anybody needs."""
    talk.say("GET /api/r1/1", *(f"X-{number}: {'y' * 400}" for number in range(90)))
    await talk.answer(431)


async def noise(talk: Talk) -> None:
    """Does not speak HTTP at all."""
    talk.writer.write(bytes(range(256)) * 4)
    await talk.answer(400)


async def nothing(talk: Talk) -> None:
    """Connects and leaves."""
    del talk


KINDS: tuple[Callable[[Talk], Awaitable[None]], ...] = (
    half_a_head, half_a_body, leaves_during_answer, leaves_before_answer, slow_reader, slow_writer,
    chunked_upload, slow_application, failing_application, resetting_application, pipelined,
    closing, old_version, head_request, expecting, two_lengths, both_framings, endless_head, noise,
    nothing,
)  # fmt: skip


@dataclass(slots=True)
class Tally:
    """How one kind has ended so far."""

    fine: int = 0
    surprises: int = 0
    example: str = ""


@dataclass(slots=True)
class Trouble:
    """Clients that go through all kinds, each time as another user."""

    port: int
    tallies: dict[str, Tally] = field(default_factory=dict)
    users: Iterator[int] = field(default_factory=itertools.count)

    async def client(self, stop: asyncio.Event) -> None:
        """Make trouble until told to stop; the one in hand is ended."""
        while not stop.is_set():
            user = next(self.users)
            await self._once(KINDS[user % len(KINDS)], user)

    async def _once(self, kind: Callable[[Talk], Awaitable[None]], user: int) -> None:
        tally = self.tallies.setdefault(getattr(kind, "__name__", "?"), Tally())
        talk = None
        try:
            async with asyncio.timeout(PATIENCE):
                talk = await Talk.begin(self.port, user)
                await kind(talk)
            tally.fine += 1
        except (SurpriseError, OSError, EOFError, ValueError, TimeoutError) as error:
            tally.surprises += 1
            tally.example = f"{type(error).__name__}: {error}"
        finally:
            if talk is not None:
                talk.writer.transport.abort()


async def work(port: int) -> dict[str, Tally]:
    """Make trouble until SIGTERM; give what was counted."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    trouble = Trouble(port)
    await asyncio.gather(*(trouble.client(stop) for _ in range(CLIENTS)))
    return trouble.tallies


def main(argv: list[str]) -> int:
    """Run until SIGTERM and print the tallies."""
    (port,) = argv
    tallies = asyncio.run(work(int(port)))
    print(
        json.dumps(
            {
                name: {"fine": t.fine, "surprises": t.surprises, "example": t.example}
                for name, t in tallies.items()
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
