from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from proxy.serving import mirror
from proxy.serving.mirror import Mirror, is_mirrorable
from proxy.upstream.fake import FakeTransport, turn
from proxy.wire.message import RequestHead
from proxy.wire.parser import RequestParser


@pytest.mark.parametrize(
    ("head", "mirrored"),
    [
        (b"GET / HTTP/1.1\r\nHost: x", True),
        (b"HEAD / HTTP/1.1\r\nHost: x", True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0", True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1", False),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", False),
        (b"OPTIONS / HTTP/1.1\r\nHost: x", False),
        (b"POST / HTTP/1.1\r\nHost: x", False),
        (b"PUT / HTTP/1.1\r\nHost: x", False),
        (b"DELETE / HTTP/1.1\r\nHost: x", False),
    ],
)
def test_only_reads_without_a_body_are_mirrored(head: bytes, mirrored: bool) -> None:
    """Nothing that could change state is repeated."""
    parser = RequestParser()
    parser.receive(head + b"\r\n\r\n")
    request = parser.next()
    assert isinstance(request, RequestHead)
    assert is_mirrorable(request) is mirrored


class Shadows:
    """Shadow workers that a mirror connects to, each behind a path."""

    def __init__(self) -> None:
        self.up: set[str] = set()
        self.links: dict[str, FakeTransport] = {}
        self.refusals = 0

    async def connect(
        self, factory: Callable[[], asyncio.Protocol], path: str
    ) -> tuple[FakeTransport, asyncio.Protocol]:
        """Stand for `create_unix_connection`."""
        if path not in self.up:
            self.refusals += 1
            raise FileNotFoundError(path)
        protocol = factory()
        self.links[path] = transport = FakeTransport(protocol)
        protocol.connection_made(transport)
        return transport, protocol


@pytest.fixture
def shadows(monkeypatch: pytest.MonkeyPatch) -> Shadows:
    """Let the event loop connect to these, and wait for no time."""
    found = Shadows()
    real = asyncio.sleep

    async def soon(_: float) -> None:
        await real(0)

    monkeypatch.setattr(mirror.asyncio, "sleep", soon)  # type: ignore[attr-defined] # patched for the module
    return found


@asynccontextmanager
async def running(
    shadows: Shadows, monkeypatch: pytest.MonkeyPatch, *paths: str
) -> AsyncIterator[Mirror]:
    """Run a mirror towards these paths; its batches go out at the next turn."""
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "create_unix_connection", shadows.connect)
    monkeypatch.setattr(loop, "call_later", lambda _, act: loop.call_soon(act))
    of = Mirror([Path(path) for path in paths])
    task = loop.create_task(of.run())
    await turn()
    yield of
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(condition: Callable[[], bool], step: Callable[[], Awaitable[None]] = turn) -> None:
    """Let the loop turn until something holds."""
    for _ in range(100):
        if condition():
            return
        await step()
    raise AssertionError("it never came to hold")


async def test_captures_go_to_the_workers_in_turn(
    shadows: Shadows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes its share, those of one moment in one write."""
    shadows.up = {"a", "b"}
    async with running(shadows, monkeypatch, "a", "b") as of:
        assert of.connected
        for number in range(4):
            assert of.offer(b"%d" % number) is None
        assert [shadows.links[path].take() for path in ("a", "b")] == [b"", b""]
        await turn()
        assert {shadows.links[path].take() for path in ("a", "b")} == {b"02", b"13"}


async def test_without_a_worker_captures_are_dropped(
    shadows: Shadows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it is tried again until there is one."""
    async with running(shadows, monkeypatch, "a") as of:
        assert not of.connected
        assert of.offer(b"x") == "no_worker"
        shadows.up = {"a"}
        await until(lambda: of.connected)
        assert shadows.refusals > 0
        assert of.offer(b"x") is None


async def test_a_worker_that_ends_is_left_and_found_again(
    shadows: Shadows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one takes all of them meanwhile, and what was still to be sent."""
    shadows.up = {"a", "b"}
    async with running(shadows, monkeypatch, "a", "b") as of:
        assert [of.offer(b"x") for _ in range(2)] == [None] * 2
        shadows.up = {"b"}
        shadows.links["a"].lose(ConnectionResetError())
        await turn()
        assert [of.offer(b"y") for _ in range(2)] == [None] * 2
        await turn()
        assert shadows.links["b"].take() == b"xxyy"
        shadows.up = {"a", "b"}
        await until(lambda: not shadows.links["a"].closing)
        assert {of.offer(b"z") for _ in range(2)} == {None}
        await turn()
        assert [shadows.links[path].take() for path in ("a", "b")] == [b"z", b"z"]


async def test_what_the_only_worker_has_not_taken_is_its_successors(
    shadows: Shadows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost but what it held."""
    shadows.up = {"a"}
    async with running(shadows, monkeypatch, "a") as of:
        assert of.offer(b"x") is None
        shadows.links["a"].lose()
        await until(lambda: bool(shadows.links["a"].sent))
        assert shadows.links["a"].take() == b"x"


async def test_a_worker_that_does_not_read_holds_a_portion_at_most(
    shadows: Shadows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest waits here, where it is not lost with the worker, and goes on in order."""
    shadows.up = {"a"}
    async with running(shadows, monkeypatch, "a") as of:
        sent = [bytes([number]) * 200_000 for number in range(9)]
        assert [of.offer(frame) for frame in sent] == [None] * 9
        await until(lambda: bool(shadows.links["a"].get_write_buffer_size()))
        await turn()
        assert shadows.links["a"].get_write_buffer_size() <= mirror.PORTION + 200_000
        received = b""
        while len(received) < 9 * 200_000:
            received += shadows.links["a"].take()
            await turn()
        assert received == b"".join(sent)


async def test_a_worker_that_is_too_slow_costs_captures_only(
    shadows: Shadows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for it is bounded, and others take what it cannot, until it has read."""
    shadows.up = {"a"}
    async with running(shadows, monkeypatch, "a", "b") as of:
        huge = b"x" * mirror.UNSENT_MAX
        assert of.offer(huge) is None
        await turn()  # the transport has it, and is full
        assert of.offer(huge + b"x") is None
        assert of.offer(b"y") == "queue_full"
        shadows.up = {"a", "b"}
        await until(lambda: "b" in shadows.links)
        assert [of.offer(b"y") for _ in range(3)] == [None] * 3
        await turn()
        assert shadows.links["b"].take() == b"yyy"
        shadows.links["a"].take()
        await turn()
        assert {of.offer(b"z") for _ in range(2)} == {None}
