"""From one `cutover serve` to the next: what is handed over, and the words that are said.

The old supervisor starts the new one as its child, by the command line it was started with itself.
The listening sockets are inherited as they are; their numbers, and the end of a channel, stand in
one variable of the environment. Connections wait in a socket's queue whoever is about to accept
them, so with the sockets nothing is refused and nothing is lost.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from enum import Enum
from importlib import metadata
from typing import Final

from proxy.errors import SettingsError

VARIABLE: Final = "CUTOVER_INHERITANCE"
WORD_MAX: Final = 8192

Sockets = dict[str, list[socket.socket]]
"""Listening sockets by the address that was asked for."""


class Word(Enum):
    """What is said on the channel, with a text."""

    READY = "ready"  # new to old: my data plane accepts connections; this is my version
    YOURS = "yours"  # old to new: the controller has ended, the roles are free
    DONE = "done"  # new to old: everything runs here; you may go
    FAILED = "failed"  # new to old: I give up, and this is why


class Channel:
    """One end; nothing here waits, and an end that is gone is silent."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        sock.setblocking(False)

    def say(self, word: Word, text: str = "") -> None:
        """Say it to the other end."""
        message = json.dumps([word.value, text[: WORD_MAX // 8]]).encode()
        with contextlib.suppress(OSError):
            self._sock.send(message)

    def hear(self) -> tuple[Word, str] | None:
        """Give the next word, if there is one."""
        try:
            word, text = json.loads(self._sock.recv(WORD_MAX))
            return Word(word), str(text)
        except (OSError, ValueError, TypeError):
            return None

    def close(self) -> None:
        """Let go of this end."""
        self._sock.close()


@dataclass(frozen=True, slots=True)
class Successor:
    """The new supervisor, as the old one knows it."""

    pid: int
    channel: Channel


@dataclass(slots=True)
class Inheritance:
    """What the new supervisor was given. Sockets that are not wanted are closed by `close_rest`."""

    channel: Channel
    predecessor: int
    generation: int
    sockets: Sockets = field(default_factory=dict)

    @property
    def orphaned(self) -> bool:
        """Whether the predecessor has died: nobody else will serve then."""
        return os.getppid() != self.predecessor

    def take(self, name: str) -> list[socket.socket]:
        """Give the sockets of one address; none when it was not served before."""
        return self.sockets.pop(name, [])

    def close_rest(self) -> None:
        """Close what nobody has taken."""
        for sock in _all(self.sockets):
            sock.close()
        self.sockets.clear()


def inheritance(environ: MutableMapping[str, str]) -> Inheritance | None:
    """Take over what a predecessor has left, if there is one; the variable is removed.

    Raises SettingsError when the variable was not set by one.
    """
    text = environ.pop(VARIABLE, None)
    if text is None:
        return None
    try:
        plain = json.loads(text)
        sockets = {str(name): [_listening(fd) for fd in fds] for name, fds in plain["sockets"]}
        channel = Channel(_adopted(plain["channel"]))
        return Inheritance(channel, int(plain["pid"]), int(plain["generation"]), sockets)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise SettingsError(
            f"{VARIABLE} is not what a predecessor writes ({error}); it is not meant to be set by"
            " hand: use `cutover upgrade`"
        ) from error


def spawn(sockets: Sockets, generation: int, environ: Mapping[str, str]) -> Successor:
    """Start the program anew beside this process, and hand it the sockets.

    Raises OSError when there is no process or memory left.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = os.getpid()
    with theirs:
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            raise
        if pid == 0:
            _become(sockets, theirs, parent, generation, environ)
    return Successor(pid, Channel(ours))


def version() -> str:
    """The version of this program, as it was installed."""
    try:
        return metadata.version("cutover")
    except metadata.PackageNotFoundError:
        return "unknown"


def _become(
    sockets: Sockets,
    channel: socket.socket,
    parent: int,
    generation: int,
    environ: Mapping[str, str],
) -> None:
    """Be the new program; never returns."""
    try:
        for number in (signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        for sock in (channel, *_all(sockets)):
            sock.set_inheritable(True)
        told = {
            "channel": channel.fileno(),
            "pid": parent,
            "generation": generation,
            "sockets": [[name, [sock.fileno() for sock in of]] for name, of in sockets.items()],
        }
        argv = [sys.executable, *sys.orig_argv[1:]]
        os.execve(sys.executable, argv, {**environ, VARIABLE: json.dumps(told)})  # noqa: S606 - no shell is wanted
    except BaseException as error:
        Channel(channel).say(Word.FAILED, f"{sys.executable} cannot be started: {error}")
    finally:
        os._exit(127)


def _all(sockets: Mapping[str, Iterable[socket.socket]]) -> list[socket.socket]:
    return [sock for of in sockets.values() for sock in of]


def _adopted(fd: int) -> socket.socket:
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        raise ValueError(f"descriptor {fd} is no socket")
    sock = socket.socket(fileno=fd)
    sock.set_inheritable(False)
    sock.setblocking(False)
    return sock


def _listening(fd: int) -> socket.socket:
    sock = _adopted(fd)
    if sock.type is not socket.SOCK_STREAM:
        raise ValueError(f"descriptor {fd} is no stream socket")
    return sock
