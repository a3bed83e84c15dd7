"""One request to a real server: whatever it does, an answer or a reason comes back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.collector_url import CollectorUrl
from proxy.observe import collector as tested
from proxy.observe.collector import Answer, Collector
from tests.support_collector import FakeCollector, running_collector
from tests.support_tls import make_pair

BODY = b'{"resourceSpans": []}'


@pytest.fixture
async def server() -> AsyncIterator[FakeCollector]:
    """Give a collector that runs."""
    async with running_collector() as collector:
        yield collector


def client(server: FakeCollector, scheme: str = "http", headers: str = "") -> Collector:
    """Give what posts to it."""
    url = CollectorUrl.parse(f"{scheme}://127.0.0.1:{server.port}", "--otlp", headers)
    assert url is not None
    return Collector(url)


async def test_a_body_arrives_as_it_is(server: FakeCollector) -> None:
    """At the path of traces, as JSON, with what else the collector wants to be told."""
    answer = await client(server, headers="Authorization=Bearer%20abc").post(BODY)
    [(headers, body)] = server.requests
    assert (answer.status, answer.body, answer.wait) == (200, b"{}", None)
    assert headers[":"] == "POST /v1/traces HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert headers["authorization"] == "Bearer abc"
    assert body == {"resourceSpans": []}


@pytest.mark.parametrize(
    ("said", "status", "wait"),
    [
        (b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", 429, 7.0),
        (b"HTTP/1.1 500 Error\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n", 500, None),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, None),
        (b"HTTP/1.1 503 Busy\r\n\r\nuntil the connection ends", 503, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n" + b"x" * 500_000, 200, None),
    ],
)
async def test_answers_of_every_form(
    server: FakeCollector, said: bytes, status: int, wait: float | None
) -> None:
    """The status counts; a long answer is not read to its end."""
    server.answer = said
    answer = await client(server).post(BODY)
    assert (answer.status, answer.wait) == (status, wait)
    assert len(answer.body) <= tested.ANSWER_MAX


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"SMTP ready\r\n\r\n", ".+"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", ".+"),
        (b"\r\n", ".+"),
    ],
)
async def test_what_is_no_answer(server: FakeCollector, said: bytes, why: str) -> None:
    """Is told as such."""
    server.answer = said
    answer = await client(server).post(BODY)
    assert answer.status == 0
    assert re.fullmatch(why, answer.told)


async def test_who_refuses_before_the_end_is_heard(server: FakeCollector) -> None:
    """A body of megabytes need not be taken by anybody."""
    server.answer, server.hasty = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", True
    answer = await client(server).post(b"x" * 5_000_000)
    assert answer.status in (413, 0)  # the reset may overtake the answer


async def test_nobody_is_there(server: FakeCollector) -> None:
    """The reason is the system's."""
    server.stop()
    answer = await client(server).post(BODY)
    assert answer.status == 0
    assert "refused" in answer.told.lower() or "connect" in answer.told.lower()


async def test_silence_has_an_end(server: FakeCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    """One deadline for all of it."""
    monkeypatch.setattr(tested, "DEADLINE", 0.2)
    server.answer = b""
    assert await client(server).post(BODY) == Answer(0, "no answer within 0 s")


async def test_a_server_that_cannot_be_verified_gets_nothing(
    server: FakeCollector, tmp_path: Path
) -> None:
    """Nobody vouches for its certificate."""
    server.stop()
    server.tls = make_pair(tmp_path).server()
    await server.start()
    answer = await client(server, "https").post(BODY)
    assert answer.status == 0
    assert "certificate" in answer.told.lower()
    assert not server.asked
