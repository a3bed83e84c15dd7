import re
from collections.abc import Iterator

import pytest
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.testing import LogCapture

from modern.infra.metrics import Metrics
from modern.infra.requests import RequestScope
from shadow_compare.dry_run.run import DryRun, inside


@pytest.fixture
def log() -> Iterator[LogCapture]:
    """Give what is logged, with the context of the request."""
    captured = LogCapture()
    before = structlog.get_config()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, captured])
    yield captured
    structlog.configure(**before)


class Route:
    """A route that a router would have found."""

    path = "/api/plans/{plan_id}"


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the request's id."""
    scope["route"] = Route()
    response = PlainTextResponse(scope["state"]["request_id"])
    await response(scope, receive, send)


async def failing(_: Scope, __: Receive, ___: Send) -> None:
    """Fail before a word is said."""
    raise RuntimeError("no database")


async def failing_late(_: Scope, __: Receive, send: Send) -> None:
    """Fail in the middle of the answer."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError("no database")


def last_resort(request: Request) -> Response:
    """Make the last answer."""
    return PlainTextResponse(f"sorry, {request.url.path}", 500)


async def ask(
    app: ASGIApp, metrics: Metrics, *headers: tuple[bytes, bytes], path: str = "/api/plans/1"
) -> tuple[int, str]:
    """Send one request and return the status and body of the answer."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": headers,
        "server": ("billing", 80),
    }
    await RequestScope(app, metrics, last_resort)(scope, receive, send)
    return sent[0]["status"], sent[1]["body"].decode()


async def test_a_request_keeps_the_id_that_it_brings(log: LogCapture) -> None:
    """The proxy's id finds the request in this log too."""
    assert await ask(answering, Metrics(), (b"x-request-id", b"01J-a.b_c")) == (200, "01J-a.b_c")
    assert log.entries[0]["request_id"] == "01J-a.b_c"


@pytest.mark.parametrize("given", [b"", b"two words", b'{"a":1}', b"x" * 129, b"\xe9"])
async def test_an_id_that_could_harm_a_log_is_replaced(log: LogCapture, given: bytes) -> None:
    """Only what looks like an id is taken for one."""
    _, body = await ask(answering, Metrics(), (b"x-request-id", given))
    assert re.fullmatch(r"[0-9a-f]{32}", body)
    assert log.entries[0]["request_id"] == body


async def test_a_request_leaves_a_line_and_a_measurement(log: LogCapture) -> None:
    """The line has the path, the metric only the pattern of it."""
    metrics = Metrics()
    await ask(answering, metrics)
    line = log.entries[0]
    assert (line["event"], line["method"], line["path"], line["status"]) == (
        "request",
        "GET",
        "/api/plans/1",
        200,
    )
    labels = 'method="GET",route="/api/plans/{plan_id}",status="200"'
    count = f"http_request_duration_seconds_count{{{labels}}} 1.0"
    assert count in metrics.exposition().decode()


@pytest.mark.parametrize("path", ["/health", "/metrics"])
async def test_probes_leave_no_line(log: LogCapture, path: str) -> None:
    """A log is not for what happens every second."""
    await ask(answering, Metrics(), path=path)
    assert log.entries == []


async def test_a_failure_is_answered_logged_and_measured(log: LogCapture) -> None:
    """The client learns nothing of the reason, the log everything."""
    metrics = Metrics()
    assert await ask(failing, metrics) == (500, "sorry, /api/plans/1")
    assert [line["event"] for line in log.entries] == ["request.failed", "request"]
    assert log.entries[0]["exc_info"]
    assert 'route="unmatched",status="500"} 1.0' in metrics.exposition().decode()


async def test_a_failure_after_the_head_breaks_the_connection(log: LogCapture) -> None:
    """A complete end is never invented."""
    with pytest.raises(RuntimeError, match="no database"):
        await ask(failing_late, Metrics())
    assert log.entries[0]["event"] == "request.failed"


async def test_a_dry_run_leaves_a_marked_line_and_no_measurement(log: LogCapture) -> None:
    """Nobody waited for it, so it says nothing about how long customers wait."""
    metrics = Metrics()
    with inside(DryRun("r")):
        await ask(answering, metrics)
    assert log.entries[0]["dry_run"] is True
    assert b"http_request_duration_seconds_count" not in metrics.exposition()
