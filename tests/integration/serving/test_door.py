"""A guarded door where nothing is left to accept with; what comes through it is in conformance."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from typing import cast

import pytest

from proxy.serving import door
from proxy.serving.door import GuardedDoor
from tests.support_exchange import Scene, on


class Exhausted:
    """A listening socket that cannot accept as long as there are errors to give."""

    def __init__(self, sock: socket.socket, *errors: int) -> None:
        self._sock = sock
        self.errors = list(errors)
        self.tries = 0

    def fileno(self) -> int:
        """Give the descriptor, which is readable while somebody waits."""
        return self._sock.fileno()

    def shutdown(self, how: int) -> None:
        """Close for the rest."""
        self._sock.shutdown(how)

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        """Fail, or accept."""
        self.tries += 1
        if self.errors:
            number = self.errors.pop(0)
            raise OSError(number, "what the kernel says")
        return self._sock.accept()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """Give a listening socket."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.setblocking(False)
        yield sock


def opened(sock: Exhausted) -> GuardedDoor:
    """Make a door that trusts nobody's header: whoever is accepted is turned away at once."""
    scene = Scene(on(0))
    return GuardedDoor(
        cast("socket.socket", sock), scene.plane, lambda _: scene.client().downstream, None,
        proxy=True,
    )  # fmt: skip


async def turned_away(sock: socket.socket) -> None:
    """Connect, and wait until the door has closed the connection."""
    reader, writer = await asyncio.open_connection(*sock.getsockname())
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
async def test_without_descriptors_it_takes_a_breath(
    listening: socket.socket,
    number: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It does not try again at once, says so once, and then lets in who has waited."""
    monkeypatch.setattr(door, "BREATHER", 0.1)
    sock = Exhausted(listening, number)
    guarded = opened(sock)
    await guarded.open()
    await turned_away(listening)
    assert sock.tries == 3, "one failed, one was let in, and one found nobody"
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    await guarded.leave()


async def test_who_has_left_while_waiting_holds_up_nobody(listening: socket.socket) -> None:
    """The next is accepted in the same turn."""
    sock = Exhausted(listening, errno.ECONNABORTED)
    guarded = opened(sock)
    await guarded.open()
    await turned_away(listening)
    await guarded.close()


async def test_a_door_that_is_closed_while_it_takes_a_breath_stays_closed(
    listening: socket.socket,
) -> None:
    """Nothing is accepted later."""
    sock = Exhausted(listening, *[errno.EMFILE] * 9)
    guarded = opened(sock)
    await guarded.open()
    _, writer = await asyncio.open_connection(*listening.getsockname())
    while not sock.tries:  # noqa: ASYNC110 - the socket tells nobody
        await asyncio.sleep(0)
    tries = sock.tries
    await guarded.leave()
    assert guarded._again is not None
    assert guarded._again.cancelled()
    assert sock.tries == tries
    writer.close()
