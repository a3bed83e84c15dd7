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
        self.links[path] = transport = FakeTransport(protocol, high_water=10**9)
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
    """Run a mirror towards these paths."""
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "create_unix_connection", shadows.connect)
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
    """Each takes its share."""
    shadows.up = {"a", "b"}
    async with running(shadows, monkeypatch, "a", "b") as of:
        assert of.connected
        for number in range(4):
            assert of.offer(b"%d" % number) is None
        sent = {shadows.links[path].take() for path in ("a", "b")}
        assert sent == {b"02", b"13"}


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
    """The other one takes all of them meanwhile."""
    shadows.up = {"a", "b"}
    async with running(shadows, monkeypatch, "a", "b") as of:
        shadows.up = {"b"}
        shadows.links["a"].lose(ConnectionResetError())
        await turn()
        assert [of.offer(b"x") for _ in range(3)] == [None] * 3
        assert shadows.links["b"].take() == b"xxx"
        shadows.up = {"a", "b"}
        await until(lambda: not shadows.links["a"].closing)
        assert {of.offer(b"y") for _ in range(2)} == {None}
        assert shadows.links["a"].take() == b"y"


async def test_a_worker_that_has_just_ended_takes_nothing(
    shadows: Shadows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its end and our hearing of it nothing is written."""
    shadows.up = {"a"}
    async with running(shadows, monkeypatch, "a") as of:
        shadows.links["a"].lose()
        assert of.offer(b"x") == "queue_full"


@pytest.mark.source_only  # a constant is patched
async def test_a_worker_that_is_too_slow_costs_captures_only(
    shadows: Shadows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for it is bounded; when it has read, it gets more."""
    monkeypatch.setattr(mirror, "UNSENT_MAX", 10)
    shadows.up = {"a"}
    async with running(shadows, monkeypatch, "a") as of:
        assert of.offer(b"x" * 11) is None
        assert of.offer(b"y") == "queue_full"
        shadows.links["a"].take()
        assert of.offer(b"y") is None
