"""A replay started from the console: a real process between two small applications."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from proxy.admin.replay_jobs import jobs_in
from tests.support import eventually
from tests.support_console import DOCUMENT, FakeController

if TYPE_CHECKING:
    from tests.integration.console.conftest import Browser

RECORDING = "20261127T120000Z"
REQUEST = "1 {id} 1790000000000000000\n{method} /api/plans HTTP/1.1\r\nHost: shop\r\n\r\n\n🐵🙈🙉\n"
PAGE = "/replays"


class Side(ThreadingHTTPServer):
    """An application that has one answer, and waits for nobody unless `held`."""

    daemon_threads = True

    def __init__(self, body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.body = body
        self.go = threading.Event()
        self.go.set()
        self.methods: list[str] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answering(BaseHTTPRequestHandler):
    """Answers."""

    server: Side

    def do_GET(self) -> None:
        """Answer once the server is let go."""
        self.server.methods.append(self.command)
        self.server.go.wait(30)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    do_POST = do_GET  # noqa: N815 - the name is given

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def sides() -> Iterator[tuple[Side, Side]]:
    """Both applications; modern has another price, with markup in it."""
    both = Side(b'{"price": "29.00"}'), Side(b'{"price": "<script>alert(1)</script>"}')
    for side in both:
        threading.Thread(target=side.serve_forever, daemon=True).start()
    yield both
    for side in both:
        side.go.set()
        side.shutdown()
        side.server_close()


@pytest.fixture
def controller(tmp_path: Path, sides: tuple[Side, Side]) -> FakeController:
    """A controller with one recording, of four reads and a write."""
    found = FakeController()
    folder = tmp_path / "recordings"
    (folder / RECORDING).mkdir(parents=True)
    asked = [REQUEST.format(id=f"{n:024x}", method="GET") for n in range(4)]
    asked.append(REQUEST.format(id=f"{9:024x}", method="POST"))
    (folder / RECORDING / "requests.gor").write_text("".join(asked), newline="")
    found.orders.folder = folder  # type: ignore[misc] # in memory it has none
    text = DOCUMENT
    for side, port in zip(sides, ("8081", "8082"), strict=True):
        text = text.replace(f"http://127.0.0.1:{port}", side.url)
    found._record("import", None, "ada", "for the test", {}, text)
    return found


def words(html: str) -> str:
    """Give what a page says."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_a_recording_is_replayed_watched_and_reported(
    browser: Browser, controller: FakeController, sides: tuple[Side, Side]
) -> None:
    """One at a time; reads only, to the upstreams of the rules; the result is on its page."""
    sides[1].go.clear()
    started = browser.send(PAGE, "start-replay", PAGE, recording=RECORDING, rate="100")
    assert (started.status_code, started.headers["location"]) == (303, PAGE)
    (job,) = jobs_in(controller.recordings.folder.with_name("replays"))
    assert "Running:" in browser.get(PAGE).text
    second = browser.client.post(
        PAGE,
        data={
            **browser.hidden(PAGE, "stop-replay"),
            "recording": RECORDING, "rate": "1", "reason": "x", "author": "x",
        },
    )  # fmt: skip
    assert "is running; stop it, or wait for it" in second.text
    sides[1].go.set()
    page = f"{PAGE}/{job.order.id}"
    eventually(lambda: "What was compared" in browser.get(page).text, 30, "the replay is done")
    html = browser.get(page).text
    assert "everything-else 0 of 1 \N{EN DASH} 0 1 unsafe method" in words(html)
    assert "plans 4 of 4 0% 4" in words(html)
    assert "<script>alert" not in html
    assert "alert(1)" in html
    assert {"POST"} & {*sides[0].methods, *sides[1].methods} == set()
    report = browser.get(f"{page}/report")
    assert report.headers["content-disposition"].startswith("attachment")
    assert "$.price" in report.text
    found = browser.get(f"/api/v1/replays/{job.order.id}").json()
    assert found["stage"] == "done"
    assert sum(each["mismatch"] for each in found["result"]["coverage"]) == 4
    assert controller.journal[-1].action == "replay_start"


def test_a_replay_is_stopped(
    browser: Browser, controller: FakeController, sides: tuple[Side, Side]
) -> None:
    """By its form, while it waits for an answer; it is on record, and another may begin."""
    sides[1].go.clear()
    browser.send(PAGE, "start-replay", PAGE, recording=RECORDING, rate="1")
    (job,) = jobs_in(controller.recordings.folder.with_name("replays"))
    page = f"{PAGE}/{job.order.id}"
    eventually(lambda: bool(sides[1].methods), 30, "the replay has asked")
    stopped = browser.send(PAGE, "stop-replay", f"{page}/stop")
    assert stopped.status_code == 303
    eventually(lambda: "start-replay" in browser.get(PAGE).text, 30, "the replay has ended")
    assert "stopped" in words(browser.get(page).text)
    assert controller.journal[-1].action == "replay_stop"


@pytest.mark.parametrize(
    "typed",
    [
        {"recording": "../../etc", "rate": "5"},
        {"recording": "20990101T000000Z", "rate": "5"},
        {"recording": RECORDING, "rate": "0"},
        {"recording": RECORDING, "rate": "501"},
    ],
)
def test_nothing_else_is_replayed(
    browser: Browser, controller: FakeController, typed: dict[str, str]
) -> None:
    """No file that somebody names, and not faster than is allowed; no such replay is looked at."""
    assert browser.send(PAGE, "start-replay", PAGE, **typed).status_code in (404, 422)
    assert jobs_in(controller.recordings.folder.with_name("replays")) == []
    for name in ("20990101T000000Z", "x", "..%2F..%2Fetc"):
        assert browser.get(f"{PAGE}/{name}").status_code == 404
        assert browser.get(f"/api/v1/replays/{name}").status_code == 404
