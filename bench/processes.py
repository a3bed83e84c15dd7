"""Starting, pinning, awaiting and ending the programs of a bench. All of it on loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

LOOPBACK = "127.0.0.1"
HTTP_OK = b"200"


class BenchError(Exception):
    """The bench cannot be run here, or a product failed; the text says what and how to mend it."""


def cores() -> tuple[list[int], list[int]]:
    """Give the cores for products and those for load and origin. Raises BenchError.

    Products get two when there are four, so that two workers do not run into the load.
    """
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise BenchError("two cores are needed: one for the product, one for load and origin")
    return split_cores(usable)


def split_cores(usable: list[int]) -> tuple[list[int], list[int]]:
    """Divide two or more cores between the products and their load."""
    ours = 2 if len(usable) >= 4 else 1
    return usable[:ours], usable[ours:]


def program(name: str) -> str | None:
    """Where a program is: in this environment, in PATH, or where Debian hides servers."""
    places = (str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/sbin", "/sbin")
    return shutil.which(name, path=":".join(places))


@contextlib.contextmanager
def running(
    command: list[str], on: Iterable[int], log: Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program on these cores, what it says in a file; end it and all it started."""
    pinned = ["taskset", "-c", ",".join(map(str, on)), *command]
    with log.open("ab") as out:
        process = subprocess.Popen(
            pinned,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=os.environ | (env or {}),
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes], patience: float = 15) -> None:
    """End a process group: politely, and after `patience` seconds by force."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now; the system chooses."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return [sock.getsockname()[1] for sock in sockets]


def await_listening(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until somebody listens. Raises BenchError with the program's last words."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 1):
            return
        time.sleep(0.05)
    raise BenchError(f"nothing listens on port {port}; {last_words(log)}")


def await_answer(port: int, path: str, log: Path) -> None:
    """Wait until a GET is answered with 200. Raises BenchError with the program's last words."""
    deadline = time.monotonic() + 30
    said = b""
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 5) as sock:
            sock.sendall(
                f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode()
            )
            said = sock.recv(4096)
            if said[9:12] == HTTP_OK:
                return
        time.sleep(0.1)
    raise BenchError(f"port {port} answers {said[:40]!r} to GET {path}; {last_words(log)}")


def last_words(log: Path, count: int = 1500) -> str:
    """What a program wrote last, for the text of an error: at most so many characters."""
    said = log.read_text(errors="replace").strip() if log.exists() else ""
    return "its last words:\n" + said[-count:] if said else "it said nothing"
