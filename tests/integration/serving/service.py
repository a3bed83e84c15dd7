"""A service in small, for a test to upgrade and to hurt: `python service.py DIRECTORY`.

It has one worker, which answers every connection with its generation and process id, and one
"controller", which writes into the diary that it is there and when it ends. What a *successor* does
is said by the file `mode`: `refuse`, `hang`, `die` (the worker ends at once), `gate` (it waits for
the file `go`), `half` (the controller ends at once), `wait` (it is never ready), or nothing.
`patience` has the seconds after which an upgrade is given up.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import signal
import socket
import sys
from functools import partial
from pathlib import Path

from proxy.serving.child import Child
from proxy.serving.claims import Claims, Papers
from proxy.serving.drain import Patience
from proxy.serving.estate import Estate
from proxy.serving.inheritance import Word, inheritance
from proxy.serving.listener import listeners
from proxy.serving.supervisor import Supervisor
from proxy.serving.vitals import Pulse, pulses


def _note(directory: Path, *words: object) -> None:
    with (directory / "diary").open("a") as file:
        file.write(" ".join(map(str, words)) + "\n")


def _answer(directory: Path, sock: socket.socket, pulse: Pulse, generation: int, mode: str) -> int:
    """Answer whoever comes, until told to go: by SIGUSR2 without touching the socket."""
    if mode == "die":
        return 3
    _note(directory, "worker", generation, os.getpid())
    while mode == "gate" and not (directory / "go").exists():
        signal.sigtimedwait({signal.SIGRTMIN}, 0.02)  # never sent: a wait without a sleep
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGUSR2):
        signal.signal(number, lambda number, _: told.append(number))
    wake, woken = socket.socketpair()
    woken.setblocking(False)
    signal.set_wakeup_fd(woken.fileno())
    selector = selectors.DefaultSelector()
    selector.register(sock, selectors.EVENT_READ)
    selector.register(wake, selectors.EVENT_READ)
    pulse.is_ready()
    while not told:
        selector.select()
        with contextlib.suppress(BlockingIOError):
            client, _ = sock.accept()
            with client:
                client.sendall(f"{generation} {os.getpid()}".encode())
    if told[0] == signal.SIGTERM:
        sock.shutdown(socket.SHUT_RDWR)
    return 0


def _control(directory: Path, pulse: Pulse, generation: int, mode: str) -> int:
    """Be there, and say so."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    _note(directory, "controller", generation, os.getpid())
    if mode == "half":
        return 3
    if mode != "wait":
        pulse.is_ready()
    signal.sigwait({signal.SIGTERM})
    _note(directory, "controller-ended", generation, os.getpid())
    return 0


def main() -> int:
    """Run the service, or succeed one."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    directory = Path(sys.argv[1])
    inherited = inheritance(os.environ)
    mode = (directory / "mode").read_text() if inherited is not None else ""
    if mode == "refuse" and inherited is not None:
        inherited.channel.say(Word.FAILED, "not like this")
        return 2
    if mode == "hang":
        signal.pause()
    claims = Claims(directory, ["controller", "shadow", "data-plane"])
    if inherited is None:
        claims.claim()
    generation = inherited.generation if inherited is not None else 1
    found = listeners(
        ("127.0.0.1", 0), 1, inherited.take("clients") if inherited is not None else []
    )
    (directory / "port").write_text(str(found[0].getsockname()[1]))
    first, second = pulses(2)
    children = [
        Child("controller", partial(_control, directory, first, generation, mode), pulse=first),
        Child(
            "worker",
            partial(_answer, directory, found[0], second, generation, mode),
            first=True,
            sockets=tuple(found),
            pulse=second,
        ),
    ]
    papers = Papers(directory, "all")
    estate = Estate({"clients": found}, claims, papers, generation=generation)
    seconds = float((directory / "patience").read_text())
    patience = Patience(drain=1.0, retire=1.0)
    return Supervisor(children, patience, estate, inherited, seconds).run()


if __name__ == "__main__":
    sys.exit(main())
