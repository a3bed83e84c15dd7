"""The command line as a process, against the admin application over real HTTP."""

from __future__ import annotations

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support_admin import TOKEN, RunningAdmin, running_admin

ROOT = Path(__file__).parents[3]
CHECK_IS_LIGHT = """
import sys
from proxy.__main__ import main
code = main(["check", "routing_rules.yaml"])
heavy = {"httpx", "starlette", "sqlalchemy", "uvicorn", "rich", "jinja2", "http.client"}
sys.exit(code or sorted(heavy & set(sys.modules)) or 0)
"""


@pytest.fixture
def admin() -> Iterator[RunningAdmin]:
    """Give a running admin application."""
    with running_admin() as running:
        yield running


def cutover(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "proxy", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_operator_sees_steers_and_looks_back(admin: RunningAdmin) -> None:
    """Look, raise, take back, resume, kill, and find all of it in the journal."""
    at = {"CUTOVER_ADMIN_URL": admin.url}
    assert "plans" in cutover("routes", **at).stdout
    why = ("--reason", "the numbers are good")
    assert (
        "plans: 10% -> 50% (version 19)" in cutover("set-weight", "plans", "50%", *why, **at).stdout
    )
    assert "rolled back" in cutover("rollback", "plans", *why, **at).stdout
    refused = cutover("resume", "plans", *why, **at)
    assert refused.returncode == 1
    assert "still cools down" in refused.stderr
    assert cutover("resume", "plans", "--force", *why, **at).returncode == 0
    assert cutover("kill", *why, **at).returncode == 0
    assert "kill switch is on" in cutover("routes", **at).stderr
    assert cutover("unkill", *why, **at).returncode == 0
    journal = json.loads(cutover("decisions", "--json", **at).stdout)["decisions"]
    assert [each["action"] for each in journal] == [
        "unkill", "kill", "resume", "rollback", "set_weight", "load",
    ]  # fmt: skip
    assert {each["reason"] for each in journal[:-1]} == {"the numbers are good"}
    assert all(each["author"] for each in journal)


def test_every_reading_command_works_over_http(admin: RunningAdmin) -> None:
    """For people and for scripts."""
    for arguments in (
        ("routes",),
        ("routes", "plans"),
        ("diffs",),
        ("diffs", "show", "9f1c2ab4d0e17735"),
        ("history",),
        ("history", "18"),
        ("decisions",),
        ("diff", "18", "18"),
        ("decisions", "1"),
        ("explain", "GET", "/api/plans", "-H", "Cookie: PHPSESSID=3f"),
    ):
        plain = cutover(*arguments, "--admin", admin.url)
        assert (plain.returncode, plain.stdout != "") == (0, True), plain.stderr
        assert "\x1b" not in plain.stdout
        assert json.loads(cutover(*arguments, "--json", "--admin", admin.url).stdout)


def test_a_slip_of_the_finger_is_met_with_a_suggestion(admin: RunningAdmin) -> None:
    """Exit 1, and what was probably meant."""
    result = cutover("set-weight", "plnas", "10%", "--reason", "x", "--admin", admin.url)
    assert result.returncode == 1
    assert "There is no route 'plnas'." in result.stderr
    assert "Did you mean plans?" in result.stderr


def test_a_stale_version_is_refused_with_what_changed(admin: RunningAdmin) -> None:
    """--if-version is the safe way for scripts."""
    change = ("set-weight", "plans", "10%", "--reason", "x", "--admin", admin.url)
    assert cutover(*change, "--if-version", "18").returncode == 0
    result = cutover(*change, "--if-version", "18")
    assert result.returncode == 1
    assert "Since then: 19 by" in result.stderr


def test_a_token_is_taken_from_the_environment(tmp_path: Path) -> None:
    """By value or by file; without it the answer is a refusal, not a riddle."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    with running_admin(TOKEN) as admin:
        at = {"CUTOVER_ADMIN_URL": admin.url}
        assert cutover("routes", **at, CUTOVER_ADMIN_TOKEN=TOKEN).returncode == 0
        assert cutover("routes", **at, CUTOVER_ADMIN_TOKEN_FILE=str(file)).returncode == 0
        refused = cutover("routes", **at)
        assert refused.returncode == 1
        assert "No token was given." in refused.stderr


def test_nobody_there_is_exit_3() -> None:
    """And says where it was looked for."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = cutover("routes", "--admin", f"http://127.0.0.1:{port}")
    assert result.returncode == 3
    assert f"no admin API answers at http://127.0.0.1:{port}: Connection refused" in result.stderr


class Stranger(http.server.BaseHTTPRequestHandler):
    """Some other server."""

    def do_GET(self) -> None:
        """Answer with a page."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base
        """Keep quiet."""


def test_somebody_else_there_is_exit_3() -> None:
    """The port of the proxy itself is the usual mistake."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as stranger:
        thread = threading.Thread(target=stranger.serve_forever)
        thread.start()
        try:
            result = cutover("routes", "--admin", f"http://127.0.0.1:{stranger.server_port}")
        finally:
            stranger.shutdown()
            thread.join()
    assert result.returncode == 3
    assert "Is it the port of the proxy itself?" in result.stderr


def test_the_command_line_that_makes_no_sense_is_exit_2() -> None:
    """As everywhere."""
    assert cutover("set-weight").returncode == 2
    assert cutover("serve", "--workers", "0").returncode == 2


def test_the_shipped_rules_are_valid() -> None:
    """The example that everybody starts from."""
    result = cutover("check", "routing_rules.yaml")
    assert result.returncode == 0, result.stderr
    assert "routing_rules.yaml is valid" in result.stdout


def test_checking_loads_nothing_heavy() -> None:
    """It runs in editors and hooks, at every save."""
    result = subprocess.run(
        [sys.executable, "-c", CHECK_IS_LIGHT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_a_closed_pipe_is_no_error(admin: RunningAdmin) -> None:
    """`cutover history | head -1` ends quietly."""
    command = [sys.executable, "-m", "proxy", "history", "--admin", admin.url]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as out:
        result = subprocess.run(
            command, cwd=ROOT, stdout=out, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert (result.returncode, result.stderr) == (0, b"")
