"""What the kernel says of a worker's memory while large bodies pass through it."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.stack.program import ROOT
from tests.support_plane import Client, Received, Upstream, Upstreamed
from tests.support_stream import SIZE, Body, pour

pytestmark = pytest.mark.asyncio(loop_scope="session")

GROWTH = 2 * 1024 * 1024
"""Bytes that a worker may grow by at the very most, whatever passes."""


class Process:
    """A worker of its own, and the application behind it."""

    def __init__(self, pid: int, port: int, upstream: Upstream) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._peak = Path(f"/proc/{pid}/clear_refs")
        self._port = port
        self.upstream = upstream

    def resident(self, what: str) -> int:
        """Give `VmRSS`, or `VmHWM`, its peak since `forget_peak`, in bytes."""
        found = re.search(rf"{what}:\s+(\d+) kB", self._status.read_text())
        assert found is not None
        return int(found[1]) * 1024

    def forget_peak(self) -> None:
        """Begin to look for the peak."""
        self._peak.write_text("5")

    async def client(self) -> Client:
        """Connect."""
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(Client, "127.0.0.1", self._port))[1]


@pytest_asyncio.fixture(loop_scope="session")
async def process(tmp_path: Path) -> AsyncIterator[Process]:
    """Give a worker that runs alone."""
    upstream = Upstream()
    await upstream.listen()
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.conformance.worker_alone", str(upstream.port), str(tmp_path),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert worker.stdout is not None
    port = int(await worker.stdout.readline())
    yield Process(worker.pid, port, upstream)
    worker.terminate()
    assert await worker.wait() == 0
    await upstream.stop()


async def download(process: Process, framing: str) -> None:
    """Let a client read 64 MB that an application sends as fast as it can."""
    body = Body(chunked=framing == "chunked")

    async def handler(connection: Upstreamed, _: Received) -> None:
        if framing == "length":
            connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        else:
            connection.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % SIZE)
        await pour(connection, SIZE, [0])
        if framing == "chunked":
            connection.write(b"\r\n0\r\n\r\n")

    process.upstream.answers(handler)
    client = await process.client()
    await client.send([b"GET /l/x HTTP/1.1\r\nHost: h\r\n\r\n"])
    while not body.complete:
        await client.until(lambda: client.received, "more")
        body.take(client)
    client.close()


async def upload(process: Process, framing: str) -> None:
    """Let an application read 64 MB that a client sends as fast as it can."""
    body = Body(chunked=framing == "chunked")

    def raw(connection: Upstreamed) -> None:
        body.take(connection, len(connection.received) - len(connection.unread))
        if body.complete:
            process.upstream.raw = None
            connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    process.upstream.raw = raw
    client = await process.client()
    head = b"PUT /l/x HTTP/1.1\r\nHost: h\r\n"
    if framing == "length":
        client.write(head + b"Content-Length: %d\r\n\r\n" % SIZE)
    else:
        client.write(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % SIZE)
    await pour(client, SIZE, [0])
    if framing == "chunked":
        client.write(b"\r\n0\r\n\r\n")
    assert (await client.answer()).body == b"ok"
    client.close()


async def test_memory_does_not_grow_with_what_passes(process: Process) -> None:
    """64 MB down and up, framed in either way, leave a worker's peak where one of each had it."""
    await download(process, "length")
    await upload(process, "length")
    before = process.resident("VmRSS")
    process.forget_peak()
    for framing in ("length", "chunked"):
        await download(process, framing)
        await upload(process, framing)
    assert process.resident("VmHWM") - before < GROWTH
