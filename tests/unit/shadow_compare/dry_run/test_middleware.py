from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from shadow_compare.contract import MARK, WINDOW, mark, mark_of_read, read_acknowledgement
from shadow_compare.dry_run import DryRun, DryRunMiddleware, dry_run, is_dry_run, recorded
from shadow_compare.dry_run.middleware import ANSWER_MAX, BODY_MAX

KEY = b"k" * 32
NOW = 1_767_225_600


@dataclass
class App:
    """An application that notes how it is run, and answers as told."""

    status: int = 201
    parts: tuple[bytes, ...] = (b"ma", b"de")
    headers: tuple[tuple[bytes, bytes], ...] = ((b"content-length", b"4"), (b"x-own", b"1"))
    failure: Exception | None = None
    bodies: list[bytes] = field(default_factory=list)
    runs: list[DryRun | None] = field(default_factory=list)
    scopes: list[Any] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Read the body, have an effect, and answer or fail."""
        self.scopes.append(scope)
        self.runs.append(dry_run())
        message, body = {"more_body": True}, b""
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
        self.bodies.append(body)
        recorded("mail", to="a@example.com")
        if self.failure is not None:
            raise self.failure
        headers = [list(pair) for pair in self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for part in self.parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})


@dataclass
class Answer:
    """What left the middleware."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def acknowledged(self) -> bool:
        """Whether it carries a good acknowledgement of the request with the id r1."""
        said = dict(self.headers).get(b"cutover-shadow-ack", b"").decode()
        read = read_acknowledgement(said)
        return read is not None and read.is_by(KEY, "r1", self.status, self.body)


async def ask(
    app: Any,
    *marks: str,
    method: str = "POST",
    path: bytes = b"/a%20b",
    query: bytes = b"x=%31",
    body: tuple[bytes, ...] = (b"bo", b"dy"),
    **more: Any,
) -> Answer:
    """Send a request with these marks; gives the answer."""
    sent: list[Any] = []
    left = list(body)

    async def receive() -> Any:
        if not left:
            return {"type": "http.disconnect"}
        part = left.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(left)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": "/a b",
        "raw_path": path,
        "query_string": query,
        "headers": [(b"host", b"x"), *((MARK.encode(), said.encode()) for said in marks)],
        "extensions": {"http.response.pathsend": {}},
        **more,
    }
    await app(scope, receive, send)
    start, *rest = sent
    whole = b"".join(message.get("body", b"") for message in rest)
    return Answer(start["status"], [tuple(pair) for pair in start["headers"]], whole)


def signed(
    *,
    key: bytes = KEY,
    method: str = "POST",
    target: str = "/a%20b?x=%31",
    body: bytes = b"body",
    at: int = NOW,
) -> str:
    """Write the mark of the request that `ask` sends, or of another one."""
    return mark(key, method, target, body, at=at, identifier="r1")


def guarded(app: App, key: bytes | str | None = KEY, **more: Any) -> DryRunMiddleware:
    """Put the middleware around an application."""
    return DryRunMiddleware(app, key, wall=lambda: float(NOW), **more)


async def test_a_request_without_a_mark_is_run_for_real() -> None:
    """Untouched, and its answer streams."""
    app = App()
    answer = await ask(guarded(app))
    assert (answer.status, answer.body) == (201, b"made")
    assert app.runs == [None]
    assert app.bodies == [b"body"]
    assert app.scopes[0]["extensions"]
    assert answer.headers == [(b"content-length", b"4"), (b"x-own", b"1")]


async def test_a_marked_write_is_run_dry_and_acknowledged() -> None:
    """Completely: the application has read the body, and its answer comes whole."""
    app = App()
    ended: list[DryRun] = []
    answer = await ask(guarded(app, ended=ended.append), signed())
    assert (answer.status, answer.body, answer.acknowledged) == (201, b"made", True)
    assert answer.headers[:2] == [(b"content-length", b"4"), (b"x-own", b"1")]
    assert app.bodies == [b"body"]
    assert ended == app.runs
    assert [effect.kind for effect in ended[0].effects] == ["mail"]
    assert (ended[0].id, ended[0].ended) == ("r1", True)
    assert app.scopes[0]["extensions"] == {}
    assert not is_dry_run()


@pytest.mark.parametrize(
    ("marks", "status"),
    [
        ((signed(key=b"o" * 32),), 403),
        ((signed(method="PUT"),), 403),
        ((signed(target="/a%20b"),), 403),
        ((signed(target="/a b?x=%31"),), 403),
        ((signed(body=b"other"),), 403),
        ((signed(at=NOW - int(WINDOW) - 1),), 403),
        ((signed(at=NOW + int(WINDOW) + 1),), 403),
        ((signed(), signed()), 400),
        ((mark_of_read("r1"),), 400),
        (("",), 400),
        (("v1;ts=x",), 400),
    ],
)
async def test_a_mark_that_is_not_genuine_runs_nothing(marks: tuple[str, ...], status: int) -> None:
    """Neither dry nor for real: whoever sent it did not want it carried out."""
    app = App()
    answer = await ask(guarded(app), *marks)
    assert (answer.status, answer.acknowledged) == (status, False)
    assert app.runs == []


@pytest.mark.parametrize("off", [-WINDOW, WINDOW])
async def test_clocks_may_differ_a_little(off: float) -> None:
    """By the window, either way."""
    app = App()
    assert (await ask(guarded(app), signed(at=NOW + int(off)))).acknowledged


async def test_a_replay_runs_nothing() -> None:
    """The very same request, within the time in which its mark is good."""
    app = App()
    middleware = guarded(app)
    assert (await ask(middleware, signed())).acknowledged
    answer = await ask(middleware, signed())
    assert (answer.status, answer.acknowledged) == (409, False)
    assert len(app.runs) == 1


async def test_of_many_replays_at_once_one_is_run() -> None:
    """There is no pause between looking and noting."""
    app = App()
    middleware = guarded(app)
    answers = await asyncio.gather(*(ask(middleware, signed()) for _ in range(20)))
    assert sum(answer.acknowledged for answer in answers) == 1
    assert len(app.runs) == 1


async def test_without_a_key_no_marked_write_is_run() -> None:
    """An application that was not told how cannot tell who asks."""
    app = App()
    assert (await ask(guarded(app, None), signed())).status == 403
    assert (await ask(guarded(app, None), mark_of_read("r1"))).status == 403
    assert app.runs == []
    assert (await ask(guarded(app, None))).status == 201


def test_a_short_key_is_refused_at_the_start() -> None:
    """Not at the first request."""
    with pytest.raises(ValueError, match="less than 32 bytes"):
        guarded(App(), "short")


@pytest.mark.parametrize("key", [KEY, None])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_a_marked_read_just_runs(method: str, key: bytes | None) -> None:
    """It carries no signature, as reading leaves nothing behind."""
    app = App()
    answer = await ask(guarded(app, key), mark_of_read("r1"), method=method)
    assert (answer.status, app.runs) == (201, [None])


async def test_a_read_may_be_run_dry_too() -> None:
    """Whatever is signed is run without effect."""
    app = App()
    assert (await ask(guarded(app), signed(method="GET"), method="GET")).acknowledged
    assert app.runs != [None]


@pytest.mark.parametrize("failure", [RuntimeError("no"), None])
async def test_an_application_that_fails_has_still_left_nothing(failure: Exception | None) -> None:
    """What it left is undone, its failure is an answer, and the answer is acknowledged."""
    app = App(failure=failure)
    if failure is None:

        async def app_without_an_end(_scope: Any, _receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})

        answer = await ask(guarded(app_without_an_end), signed())  # type: ignore[arg-type]
    else:
        answer = await ask(guarded(app), signed())
    assert (answer.status, answer.body, answer.acknowledged) == (500, b"", True)


async def test_what_could_not_be_undone_is_not_acknowledged() -> None:
    """The failure goes to the server, which breaks off."""

    async def app(*_: Any) -> None:
        run = dry_run()
        assert run is not None
        run.cleanup.callback(lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        await ask(guarded(app), signed())  # type: ignore[arg-type]
    assert not is_dry_run()


async def test_everything_is_undone_before_anybody_hears_of_it() -> None:
    """An acknowledgement that comes first would be a promise only."""
    order: list[str] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        run = dry_run()
        assert run is not None
        run.cleanup.callback(order.append, "undone")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        order.append("answered")

    async def send(message: Any) -> None:
        order.append(message["type"])

    async def receive() -> Any:
        return {"type": "http.request", "body": b"body"}

    scope = {
        "type": "http", "method": "POST", "path": "/a b", "raw_path": b"/a%20b",
        "query_string": b"x=%31", "headers": [(MARK.encode(), signed().encode())],
    }  # fmt: skip
    await guarded(app)(scope, receive, send)  # type: ignore[arg-type]
    assert order == ["answered", "undone", "http.response.start", "http.response.body"]


@pytest.mark.parametrize("more", [0, 1])
async def test_a_long_answer_is_acknowledged_without_its_body(more: int) -> None:
    """Memory is bounded, and nothing is told of a length that does not come."""
    app = App(parts=(b"x" * ANSWER_MAX, b"y" * more), headers=((b"Content-Length", b"9"),))
    answer = await ask(guarded(app), signed())
    said = dict(answer.headers)
    read = read_acknowledgement(said[b"cutover-shadow-ack"].decode())
    assert read is not None
    assert read.is_by(KEY, "r1", 201, answer.body)
    assert (read.omitted, len(answer.body)) == (bool(more), 0 if more else ANSWER_MAX)
    assert (b"Content-Length" in said) is not bool(more)


@pytest.mark.parametrize(("more", "status"), [(0, 201), (1, 413)])
async def test_a_long_request_is_refused(more: int, status: int) -> None:
    """The proxy sends none; who sends one cannot fill the memory."""
    app, body = App(), (b"x" * BODY_MAX, b"y" * more)
    answer = await ask(guarded(app), signed(body=b"".join(body)), body=body)
    assert answer.status == status
    assert len(app.runs) == 1 - more


async def test_a_request_that_breaks_off_runs_nothing() -> None:
    """Its signature could not be right, and nobody waits."""
    app = App()

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "headers": [(MARK.encode(), signed().encode())],
    }
    await guarded(app)(scope, receive, send)
    assert sent[0]["status"] == 400
    assert app.runs == []


async def test_a_server_that_keeps_no_raw_path_will_do() -> None:
    """The path is escaped again as browsers do."""
    assert (await ask(guarded(App()), signed(), path=b"")).acknowledged
    assert (await ask(guarded(App()), signed(target="/a%20b"), query=b"")).acknowledged


async def test_other_scopes_pass() -> None:
    """Websockets and the lifespan are not mirrored."""
    seen: list[str] = []

    async def app(scope: Any, *_: Any) -> None:
        seen.append(scope["type"])

    for kind in ("lifespan", "websocket"):
        await guarded(app)({"type": kind, "headers": []}, None, None)  # type: ignore[arg-type]
    assert seen == ["lifespan", "websocket"]
