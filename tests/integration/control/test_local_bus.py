# ruff: noqa: ASYNC220, ASYNC240 - one process, one file: what a test waits for here takes microseconds

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from proxy.control.bus.base import UNSENT_MAX, Bus, BusError
from proxy.control.bus.frames import encode
from proxy.control.bus.local import LocalBus, LocalUplink
from tests.contracts.bus import HELLO, BusContract, Ears, NewUplink, running, until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a place for the socket."""
    return tmp_path / "bus.sock"


class TestLocalBus(BusContract):
    """The bus over a real Unix socket."""

    @pytest.fixture
    async def bus(self, ears: Ears, path: Path) -> AsyncIterator[Bus]:
        """Give a bus, not started."""
        bus = LocalBus(path, ears.on_peer_message, ears.on_peer_state)
        yield bus
        await bus.close()

    @pytest.fixture
    def reopen(self, ears: Ears, path: Path) -> Callable[[], Bus]:
        """Give a second controller in the same place."""
        return lambda: LocalBus(path, ears.on_peer_message, ears.on_peer_state)

    @pytest.fixture
    def new_uplink(self, path: Path) -> NewUplink:
        """Give uplinks."""
        return lambda _, worker: LocalUplink(path, HELLO, worker.on_message, worker.states.append)

    async def test_private_socket(self, bus: Bus, path: Path) -> None:
        """Only the owner may connect, and nothing is left behind after close."""
        await bus.start()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        await bus.close()
        assert not path.exists()

    async def test_live_controller_is_not_robbed(
        self, bus: Bus, reopen: Callable[[], Bus], new_uplink: NewUplink
    ) -> None:
        """A second controller on the same state directory is told who runs there, and goes."""
        await bus.start()
        with pytest.raises(BusError, match=rf"another controller \(pid {os.getpid()}\)"):
            await reopen().start()
        async with self.connect(bus, new_uplink, Ears()):
            await until(lambda: len(bus.peers()) == 1)
        await bus.close()

    async def test_stream_out_of_step(self, bus: Bus, path: Path, new_uplink: NewUplink) -> None:
        """A stranger on the socket is cut off and hurts nobody else."""
        await bus.start()
        async with self.connect(bus, new_uplink, Ears()):
            await until(lambda: len(bus.peers()) == 1)
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert await reader.read() == b""
            writer.close()
            assert len(bus.peers()) == 1
        await bus.close()


async def test_dead_controllers_socket_is_replaced(path: Path) -> None:
    """A socket file left by a killed controller is no obstacle to the next one."""
    code = (
        "import asyncio, pathlib, sys\n"
        "from proxy.control.bus.local import LocalBus\n"
        "async def main():\n"
        "    bus = LocalBus(pathlib.Path(sys.argv[1]), lambda *a: None, lambda *a: None)\n"
        "    await bus.start()\n"
        "    print('up', flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        bus = LocalBus(path, lambda *_: None, lambda *_: None)
        with pytest.raises(BusError, match=f"pid {child.pid}"):
            await bus.start()
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    assert path.exists()
    await bus.start()
    worker = Ears()
    async with running(LocalUplink(path, HELLO, worker.on_message, worker.states.append)):
        await until(lambda: worker.states == [True])
    await bus.close()


async def test_deaf_controller_costs_bounded_memory(path: Path) -> None:
    """When the controller stops reading, messages are dropped after 4 MB instead of piling up."""
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(path))
        deaf.listen()
        worker = Ears()
        async with running(
            LocalUplink(path, HELLO, worker.on_message, worker.states.append)
        ) as uplink:
            await until(lambda: worker.states == [True])
            payload = {"pad": "x" * 100_000}
            sent = 0
            while uplink.send("outcomes", payload):
                sent += 1
                assert sent * 100_000 < 3 * UNSENT_MAX
            assert uplink.send("outcomes", payload) is False


async def test_deaf_worker_is_cut_off(path: Path) -> None:
    """A worker that stops reading is disconnected, so that it comes back to the latest state."""
    ears = Ears()
    bus = LocalBus(path, ears.on_peer_message, ears.on_peer_state)
    await bus.start()
    reader, writer = await asyncio.open_unix_connection(str(path), limit=1)
    writer.write(encode("hello", HELLO))
    await until(lambda: ears.states == [True])
    for _ in range(200):
        bus.publish("snapshot", {"pad": "x" * 100_000})
    await until(lambda: ears.states == [True, False])
    writer.close()
    del reader
    await bus.close()


async def test_place_that_is_too_deep(tmp_path: Path) -> None:
    """A state directory too long for a socket address is refused with words, not by the kernel."""
    bus = LocalBus(tmp_path / ("d" * 120) / "bus.sock", lambda *_: None, lambda *_: None)
    with pytest.raises(BusError, match="shorter --state"):
        await bus.start()
