from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.errors import SettingsError
from proxy.serving.inheritance import VARIABLE, Channel, Word, inheritance, version


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    """Give both ends of a channel."""
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    channels = Channel(pair[0]), Channel(pair[1])
    yield channels
    for channel in channels:
        channel.close()


def test_words_arrive_one_by_one(ends: tuple[Channel, Channel]) -> None:
    """In order, each with its text; nobody waits for one."""
    ours, theirs = ends
    assert ours.hear() is None
    theirs.say(Word.READY, "0.2.0")
    theirs.say(Word.FAILED, "why \N{EURO SIGN}" * 9999)
    assert ours.hear() == (Word.READY, "0.2.0")
    heard = ours.hear()
    assert heard is not None
    assert heard[0] is Word.FAILED
    assert heard[1].startswith("why \N{EURO SIGN}")
    assert ours.hear() is None


def test_an_end_that_is_gone_is_silent(ends: tuple[Channel, Channel]) -> None:
    """Whether it ended is seen elsewhere."""
    ours, theirs = ends
    theirs.close()
    ours.say(Word.YOURS)
    assert ours.hear() is None
    ours.close()
    ours.say(Word.YOURS)
    assert ours.hear() is None


@pytest.mark.parametrize("sent", [b"x", b"[]", b'["ready"]', b'["gossip", ""]', b"{}", b"[1, 2]"])
def test_what_is_no_word_is_not_heard(sent: bytes) -> None:
    """Another version may say more than we understand."""
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with left, right:
        left.send(sent)
        assert Channel(right).hear() is None


def told(**changes: object) -> str:
    """Write what a predecessor would."""
    return json.dumps({"channel": 0, "pid": 1, "generation": 2, "sockets": [], **changes})


def test_nobody_is_there_before_the_first() -> None:
    """A start without the variable is a start."""
    assert inheritance({}) is None


def test_what_was_left_is_taken_over_once() -> None:
    """By the address that was asked for; the children of the heir do not find it again."""
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with left, socket.create_server(("127.0.0.1", 0)) as one:
        fds = [right.detach(), os.dup(one.fileno())]
        os.set_inheritable(fds[1], True)
        sockets = [["here", [fds[1]]]]
        text = told(channel=fds[0], pid=os.getppid(), generation=3, sockets=sockets)
        environ = {VARIABLE: text}
        found = inheritance(environ)
        assert found is not None
        assert environ == {}
        assert (found.generation, found.orphaned) == (3, False)
        assert found.take("elsewhere") == []
        (taken,) = found.take("here")
        assert taken.getsockname() == one.getsockname()
        assert not taken.get_inheritable()
        assert found.take("here") == []
        Channel(left).say(Word.YOURS)
        assert found.channel.hear() == (Word.YOURS, "")
        taken.close()
        found.channel.close()


def test_what_nobody_takes_is_closed() -> None:
    """An address that is served no more is not held open."""
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with left, socket.create_server(("127.0.0.1", 0)) as one:
        fd = os.dup(one.fileno())
        text = told(channel=right.detach(), sockets=[["here", [fd]]])
        found = inheritance({VARIABLE: text})
        assert found is not None
        assert found.orphaned
        found.close_rest()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)
        found.channel.close()


@pytest.mark.parametrize("text", ["", "yes", "[]", "{}", told(channel=999), told(channel="x")])
def test_what_no_predecessor_wrote_is_refused(text: str) -> None:
    """It was set by hand, or is of a version that has no sense to us."""
    with pytest.raises(SettingsError, match="not meant to be set by hand: use `cutover upgrade`"):
        inheritance({VARIABLE: text})


def test_a_file_is_no_socket(tmp_path: Path) -> None:
    """Numbers of descriptors are easily mistaken."""
    with (tmp_path / "file").open("w") as file, pytest.raises(SettingsError, match="is no socket"):
        inheritance({VARIABLE: told(channel=file.fileno())})


def test_the_version_is_the_installed_one() -> None:
    """It is what an upgrade reports."""
    assert version()[0].isdigit()
