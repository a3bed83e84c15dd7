"""Alerts over real HTTP: what arrives, what is asked again, what is not followed."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from proxy.control.alerts.post import Outcome, post
from proxy.control.alerts.sender import Alerts
from proxy.control.alerts.targets import read_alerting
from proxy.control.audit import verify
from proxy.control.chain import Link
from proxy.control.store.sql import SqlStore
from tests.support_commands import cutover
from tests.support_control import Scene

SECRET = "0123456789abcdef01234567"


@dataclass
class Hooks:
    """A receiver of webhooks, and what it has received; `status` is its answer."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@contextlib.contextmanager
def receiving() -> Iterator[Hooks]:
    """Receive webhooks on a free port."""
    hooks = Hooks()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Take one."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hooks.got.append((self.path, dict(self.headers), body))
            self.send_response(hooks.status)
            for name, value in hooks.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"no such channel")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        hooks.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield hooks
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    """Give a receiver."""
    with receiving() as hooks:
        yield hooks


@pytest.mark.parametrize(
    ("status", "delivered", "again"),
    [
        (200, True, False), (204, True, False), (301, False, False), (400, False, False),
        (404, False, False), (408, False, True), (429, False, True), (500, False, True),
        (503, False, True), (507, False, True),
    ],
)  # fmt: skip
def test_an_answer_says_whether_another_attempt_makes_sense(
    hooks: Hooks, status: int, delivered: bool, again: bool
) -> None:
    """A redirect is not followed: what is sent is for this host."""
    hooks.status, hooks.headers = status, {"Location": f"{hooks.url}/elsewhere"}
    outcome = post(f"{hooks.url}/hook?a=b", b"{}", {"X-A": "1"})
    assert (outcome.delivered, outcome.again) == (delivered, again)
    [(path, headers, body)] = hooks.got
    assert (path, headers["X-A"], body) == ("/hook?a=b", "1", b"{}")
    assert str(status) in outcome.told


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": formatdate(2_000_000_060, usegmt=True)}, 60.0),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_a_receiver_says_when_to_come_back(
    hooks: Hooks, headers: dict[str, str], wait: float | None
) -> None:
    """In seconds, or as a date by its own clock."""
    hooks.status = 503
    hooks.headers = {"Date": formatdate(2_000_000_000, usegmt=True), **headers}
    outcome = post(hooks.url, b"{}", {})
    # The server sends a date of its own first, and the first one counts.
    assert (outcome.wait is None) is (wait is None)
    assert wait != 7.0 or outcome.wait == 7.0


def test_nobody_there_is_no_error_of_ours() -> None:
    """A closed port, a name that is none, a URL with a port that is none."""
    for url in ("http://127.0.0.1:1/", "http://nowhere.invalid/", "https://127.0.0.1:99999/"):
        outcome = post(url, b"{}", {}, timeout=2.0)
        assert isinstance(outcome, Outcome)
        assert not outcome.delivered
        assert outcome.told


async def test_a_rollback_reaches_a_receiver_who_can_verify_it(
    tmp_path: Path, hooks: Hooks
) -> None:
    """From the failing requests to the signed message, which names its entry of the journal."""
    text = f"targets: [{{name: ops, shape: json, url: {hooks.url}/x, secret: {SECRET}}}]"
    url = f"sqlite+aiosqlite:///{tmp_path / 'cutover.db'}"
    store: Any = SqlStore(url)
    scene = Scene(tmp_path, store=store)
    controller = await scene.start()
    alerts = Alerts(read_alerting(text, "a.yaml"), scene.clock, "test", proof=controller.entry)
    controller.follow_decisions(alerts.decided)
    running = asyncio.create_task(alerts.run())
    scene.outcomes(bad=20)
    closing = asyncio.create_task(alerts.close(running))  # which lets them go on for a moment
    await controller.close()  # which writes the decision down
    await closing
    assert alerts.outcomes == {("ops", "delivered"): 1}
    [(_, headers, body)] = hooks.got
    time, _, signature = headers["Cutover-Signature"].partition(",v1=")
    signed = time.removeprefix("t=").encode() + b"." + body
    assert hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest() == signature
    told = json.loads(body)
    assert (told["event"], told["route"]) == ("rollback", "plans")
    assert "secret" not in body.decode()
    link = Link.parse(told["details"]["journal"])
    assert link is not None
    assert not (await verify(url, (link,))).faults
    assert (await verify(url, (replace(link, hash="0" * 64),))).faults


async def test_the_command_tries_every_receiver_and_says_what_each_answered(
    tmp_path: Path, hooks: Hooks
) -> None:
    """Exit 0 only if all of them took it."""
    file = tmp_path / "alerts.yaml"
    file.write_text(
        f"targets:\n- {{name: ops, shape: json, url: {hooks.url}/ops}}\n"
        f"- {{name: chat, shape: slack, url: {hooks.url}/chat}}\n"
    )
    file.chmod(0o600)
    arguments = ("alerts", "test", "--file", str(file))
    result = await asyncio.to_thread(cutover, *arguments)
    assert result.code == 0
    assert result.out == "ops: delivered: answered 200\nchat: delivered: answered 200\n"
    hooks.status = 404
    refused = await asyncio.to_thread(cutover, *arguments, "--target", "chat")
    assert (refused.code, "chat: NOT delivered: answered 404 'no such channel'" in refused.out) == (
        1, True,
    )  # fmt: skip
    assert json.loads((await asyncio.to_thread(cutover, *arguments, "--json")).out)["results"]
    assert (await asyncio.to_thread(cutover, *arguments, "--target", "x")).code == 1
    assert (await asyncio.to_thread(cutover, "alerts", "test")).code == 2
