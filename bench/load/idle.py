"""Many connections that have asked once and then stay, to see what a product keeps for each.

Run as a program: `python -m bench.load.idle PORT FILE COUNT`. Says `ready`, and holds the
connections until its standard input ends.
"""

from __future__ import annotations

import resource
import socket
import sys
from pathlib import Path

from bench.load.answers import Cutter
from bench.load.wrk import unpack


def connect(port: int, requests: list[bytes], count: int) -> list[socket.socket]:
    """Open the connections one after the other, with one request each. Raises OSError."""
    return [_asked(port, requests[number % len(requests)]) for number in range(count)]


def _asked(port: int, request: bytes) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), 20)
    try:
        sock.sendall(request)
        _await_answer(sock)
    except OSError:
        sock.close()
        raise
    return sock


def _await_answer(sock: socket.socket) -> None:
    cutter = Cutter()
    while (status := cutter.feed(data := sock.recv(65536))) == 0:
        if not data:
            raise ConnectionError("closed before the answer was complete")
    if not 200 <= status < 300:
        raise ConnectionError(f"answered with {status}")


def is_closed(sock: socket.socket) -> bool:
    """Whether the product has ended a connection that asks for nothing."""
    sock.setblocking(False)  # a socket with a timeout waits for it, whatever the flags say
    try:
        return sock.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def main(argv: list[str]) -> int:
    """Hold connections until told to end."""
    port, file, count = argv
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        held = connect(int(port), unpack(Path(file).read_bytes()), int(count))
    except OSError as error:
        print(f"a connection of {count} could not be had: {error}", file=sys.stderr)
        return 1
    if lost := sum(map(is_closed, held)):
        print(f"{lost} of {count} were closed while others were opened", file=sys.stderr)
        return 1
    print("ready", flush=True)
    sys.stdin.read()
    for sock in held:
        sock.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
