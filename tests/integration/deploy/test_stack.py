from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.stack import Options, Ports, Stack
from deploy.stack.errors import PortBusyError, StartError
from deploy.stack.process import group_members, marked
from deploy.stack.program import ROOT
from tests.support import eventually


@pytest.fixture
def run_dir() -> Iterator[Path]:
    """Give a private run directory; the stacks of the other tests are not touched."""
    folder = Path(tempfile.mkdtemp(prefix="cutover-tests-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own(run_dir: Path) -> Iterator[Stack]:
    """Give a stack of this test alone."""
    stack = Stack(run_dir, Ports.free(), Options(fast=True, tied=True))
    yield stack
    stack.down()


def test_a_killed_server_is_reported_and_started_again(own: Stack) -> None:
    """After a crash the table says so, and the next start mends only that."""
    own.ensure("redis")
    first = own.redis.process.pid
    own.server("redis").kill()
    assert {one.name: one.healthy for one in own.status()}["redis"] is False
    own.ensure("redis")
    assert own.redis.process.pid not in {None, first}
    assert own.redis.ready()


def test_what_runs_is_left_running(own: Stack) -> None:
    """A second start finds the server of the first and changes nothing."""
    own.ensure("redis")
    first = own.redis.process.pid
    again = Stack(own.run_dir, own.ports, own.options)
    again.up("redis")
    assert again.redis.process.pid == first


def test_the_configuration_of_apache_is_private(own: Stack) -> None:
    """Only the owner may read the file that names the database password."""
    own.legacy.prepare()
    assert (own.legacy.folder / "apache.conf").stat().st_mode & 0o777 == 0o600
    own.legacy.stop()


def test_data_survives_a_restart(own: Stack) -> None:
    """Stopping and starting keeps what the databases hold, and does not seed again."""
    own.ensure("seed")
    database = own.seed.database.name
    own.mariadb.sql("DELETE FROM users WHERE id = 1", database)
    own.down()
    own.ensure("seed")
    assert own.mariadb.sql("SELECT COUNT(*) FROM users", database).strip() == "1999"


def test_a_busy_port_is_told_with_its_holder(own: Stack) -> None:
    """The message names this very process, which holds the port, and how to go on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", own.ports.redis))
        taken.listen()
        with pytest.raises(PortBusyError) as refusal:
            own.ensure("redis")
    assert f"(pid {os.getpid()})" in str(refusal.value)
    assert "CUTOVER_PORT_REDIS=" in str(refusal.value)


def test_a_failed_start_leaves_nothing_behind(own: Stack) -> None:
    """When one server cannot start, those started with it are stopped again."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", own.ports.redis))
        taken.listen()
        with pytest.raises(PortBusyError):
            own.ensure("postgres", "redis")
    assert marked(own.run_dir) == []


def test_a_server_that_ends_at_once_is_told_with_its_log(own: Stack) -> None:
    """The error carries the reason that the server gave."""
    own.mariadb.prepare()
    (own.run_dir / "mariadb" / "data" / "ibdata1").write_bytes(b"not a tablespace")
    with pytest.raises(StartError, match="ended while it was starting") as error:
        own.mariadb.start()
    assert "ERROR" in str(error.value)


def test_moving_a_running_stack_to_other_ports_is_refused(own: Stack) -> None:
    """Servers that listen on the old ports would be taken for the new ones."""
    own.up("redis")
    moved = Stack(own.run_dir, replace(own.ports, redis=own.ports.redis + 1), own.options)
    with pytest.raises(Exception, match="make stop"):
        moved.up("redis")


def test_servers_end_with_a_test_run_that_is_killed(run_dir: Path) -> None:
    """Not even SIGKILL to the program that started tied servers leaves one behind."""
    ports = Ports.free()
    script = (
        "import sys, time; from pathlib import Path\n"
        "from deploy.stack import Options, Ports, Stack\n"
        f"stack = Stack(Path(sys.argv[1]), {ports!r}, Options(fast=True, tied=True))\n"
        "stack.ensure('redis', 'postgres'); print('up', flush=True); time.sleep(60)\n"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", script, str(run_dir)], cwd=ROOT, stdout=subprocess.PIPE
    )
    with program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"up\n"
        servers = Stack(run_dir, ports)
        groups = [servers.redis.process.pid, servers.postgres.process.pid]
        program.send_signal(signal.SIGKILL)
    assert None not in groups
    eventually(
        lambda: not any(group_members(group) for group in groups if group),
        what="the servers have ended",
    )


def test_the_command_line_starts_reports_and_stops(run_dir: Path) -> None:
    """`up`, `status` and `down` find the same servers, from one process to the next."""
    ports = Ports.free()
    environ = {**os.environ, "CUTOVER_PORT_REDIS": str(ports.redis)}

    def stack(*arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "deploy.stack", "--run-dir", str(run_dir), *arguments]
        return subprocess.run(
            argv, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
        )

    try:
        up = stack("up", "redis")
        assert f"redis          up     127.0.0.1:{ports.redis}" in up.stdout, up.stderr
        assert stack("status").returncode == 1
        assert stack("logs", "redis").stdout.count("Ready to accept connections") == 1
        assert stack("kill", "nginx").returncode == 2
    finally:
        down = stack("down")
    assert down.returncode == 0
    assert marked(run_dir) == []
