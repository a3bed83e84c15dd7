"""A network namespace as a room: it has a network of its own, and everything else of the machine.

Nobody else has a name for it: it is held open by a descriptor of this process and by the processes
in it, and the kernel takes it away, wires and all, when the last of them has gone. So a test that
is killed leaves nothing behind, and there is nothing to clear away before the next.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from deploy.stack.program import find, run

T = TypeVar("T")

_CLONE_NEWNET: Final = 0x40000000
_HANDS: Final = 4
"""Threads that can be in a room at once."""

_libc = ctypes.CDLL(None, use_errno=True)


class Room:
    """One network namespace. Raises OSError where none may be made."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._namespace = _new_namespace()
        self._hands = ThreadPoolExecutor(_HANDS, f"room-{name}", self._enter)
        self.ip("link set lo up")

    @property
    def path(self) -> str:
        """Where other programs find it: `nsenter --net=PATH`."""
        return f"/proc/{os.getpid()}/fd/{self._namespace}"

    @property
    def enter(self) -> tuple[str, ...]:
        """What to put before a command that is to run in it."""
        return ("nsenter", f"--net={self.path}", "--")

    def do(self, job: Callable[[], T]) -> T:
        """Do something in it, in a thread, and wait."""
        return self._hands.submit(job).result()

    async def doing(self, job: Callable[[], T]) -> T:
        """Do something in it, in a thread, without blocking the event loop."""
        return await asyncio.wrap_future(self._hands.submit(job))

    def socket(self) -> socket.socket:
        """Give a TCP socket that belongs to it, for whichever thread."""
        made = self.do(socket.socket)
        made.setblocking(False)
        return made

    def ip(self, *commands: str) -> None:
        """Have iproute2 change its network; raises StackError where it cannot."""
        argv = [find("ip", "iproute2"), "-batch", "-"]
        script = "\n".join(commands)
        self.do(lambda: run(argv, stdin=script))

    def close(self) -> None:
        """Let go of it."""
        self._hands.shutdown()
        os.close(self._namespace)

    def _enter(self) -> None:
        if _libc.setns(self._namespace, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "a thread may not enter its network namespace")


def _new_namespace() -> int:
    """Make one, and give a descriptor of it; this process itself stays where it is."""
    made: list[int | OSError] = []

    def leave() -> None:
        if _libc.unshare(_CLONE_NEWNET) != 0:
            made.append(OSError(ctypes.get_errno(), "no network namespace may be made"))
        else:
            made.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()
    (outcome,) = made
    if isinstance(outcome, OSError):
        raise outcome
    return outcome
