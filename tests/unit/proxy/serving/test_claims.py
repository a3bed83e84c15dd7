from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proxy.errors import SettingsError
from proxy.serving.claims import Claims, Papers, expects, holder


@contextmanager
def somebody_with(state: Path, *roles: str) -> Iterator[int]:
    """Let another process have these roles; gives its id."""
    begun, end = os.pipe(), os.pipe()
    if (pid := os.fork()) == 0:
        Claims(state, roles).claim()
        os.write(begun[1], b"x")
        os.read(end[0], 1)
        os._exit(0)
    try:
        os.read(begun[0], 1)
        yield pid
    finally:
        os.write(end[1], b"x")
        os.waitpid(pid, 0)
        for fd in (*begun, *end):
            os.close(fd)


def test_a_role_has_one_holder(tmp_path: Path) -> None:
    """The kernel says who, and frees it when the holder ends."""
    claims = Claims(tmp_path, ("controller", "shadow"))
    assert holder(tmp_path, "controller") is None
    with somebody_with(tmp_path, "controller") as pid:
        assert holder(tmp_path, "controller") == pid
        with pytest.raises(SettingsError, match="has the role controller there; stop it first"):
            claims.claim()
    assert holder(tmp_path, "controller") is None
    claims.claim()
    assert claims.held
    claims.release()
    with somebody_with(tmp_path, "controller") as pid:
        assert holder(tmp_path, "controller") == pid


def test_who_cannot_have_all_roles_has_none(tmp_path: Path) -> None:
    """Half a controller is none."""
    with somebody_with(tmp_path, "shadow"):
        with pytest.raises(SettingsError, match="the role shadow"):
            Claims(tmp_path, ("controller", "shadow")).claim()
        with somebody_with(tmp_path, "controller") as pid:
            assert holder(tmp_path, "controller") == pid


@pytest.mark.parametrize(
    ("role", "name"), [("all", "supervisor.pid"), ("shadow", "supervisor-shadow.pid")]
)
def test_the_pid_file_is_removed_by_its_owner_only(tmp_path: Path, role: str, name: str) -> None:
    """After an upgrade it is the successor's."""
    papers = Papers(tmp_path, role)
    papers.write_pid()
    assert (tmp_path / name).read_text() == f"{os.getpid()}\n"
    (tmp_path / name).write_text("1\n")
    papers.remove_pid()
    assert (tmp_path / name).exists()
    papers.write_pid()
    papers.remove_pid()
    assert not (tmp_path / name).exists()
    papers.remove_pid()


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"{"])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    """An upgrade must not fail because of what was written about the last one."""
    papers = Papers(tmp_path, "all")
    assert papers.last() == {}
    papers.record({"number": 3})
    assert papers.last() == {"number": 3}
    (tmp_path / "upgrade.json").write_bytes(content)
    assert papers.last() == {}


def test_a_directory_that_is_gone_stops_nobody(tmp_path: Path) -> None:
    """The service matters more than what is written about it."""
    papers = Papers(tmp_path / "gone", "all")
    papers.write_pid()
    papers.record({})
    papers.remove_pid()


def test_what_a_signal_would_do_is_known_before_it_is_sent() -> None:
    """A process that has no handler for it would be ended."""
    pid = os.getpid()
    assert not expects(pid, signal.SIGUSR2)
    before = signal.signal(signal.SIGUSR2, lambda *_: None)
    try:
        assert expects(pid, signal.SIGUSR2)
    finally:
        signal.signal(signal.SIGUSR2, before)
    assert not expects(2**22 + 1, signal.SIGUSR2)
