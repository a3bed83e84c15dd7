"""What an exchange hands over to be written down for a later replay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from proxy.recording import Recording
from proxy.routing.side import Side
from tests.support_exchange import OK, Scene, answer, get, on, request

LEGACY, MODERN = Side.LEGACY, Side.MODERN
Make = Callable[..., Scene]
ORDER = Recording("20261201T120000Z", 0.0, 9e9, (), 1.0, 1000, "ada", "a test")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_every_request_is_recorded_and_no_answer(scene: Make, method: str) -> None:
    """Also what is never mirrored; with its body, and without anything of the answer's."""
    it = scene(on(0))
    it.plane.recording = ORDER
    client = it.client()
    client.send(request(method, "/a", body=b"a=1" if method in ("POST", "PUT") else b""))
    (await it.accept(LEGACY)).receive(answer(200, b"secret"))
    assert client.status() == 200
    (capture,) = it.tap.captures
    assert (capture.recorded, capture.mirrored) == (True, False)
    assert (capture.method, capture.target, capture.body) == (method, "/a", b"")
    assert capture.request_body == (b"a=1" if method in ("POST", "PUT") else b"")
    assert it.dropped() == {}


async def test_what_is_mirrored_too_is_handed_over_once(scene: Make) -> None:
    """One frame, for both."""
    it = scene(on(0, mirror={"share": "100%"}))
    it.plane.recording = ORDER
    client = it.client()
    client.send(get("/a"))
    (await it.accept(LEGACY)).receive(OK)
    assert client.status() == 200
    (capture,) = it.tap.captures
    assert (capture.recorded, capture.mirrored) == (True, True)
    assert capture.body


@pytest.mark.parametrize(
    "order",
    [
        None,
        replace(ORDER, routes=("other",)),
        replace(ORDER, until=1.0),
        replace(ORDER, share=0.0),
    ],
)
async def test_nothing_is_recorded_unless_it_is_said(scene: Make, order: Recording | None) -> None:
    """Another route, a time that is over, a share that leaves it out."""
    it = scene(on(0, mirror={"share": "100%"}))
    it.plane.recording = order
    client = it.client()
    client.send(get("/a"))
    (await it.accept(LEGACY)).receive(OK)
    assert client.status() == 200
    (capture,) = it.tap.captures
    assert (capture.recorded, capture.mirrored) == (False, True)


async def test_a_share_of_the_requests_is_drawn(scene: Make) -> None:
    """Some are recorded and some are not, whoever serves them."""
    it = scene(on(100))
    it.plane.recording = replace(ORDER, share=0.5)
    client = it.client()
    client.send(get())
    upstream = await it.accept(MODERN)
    for _ in range(100):
        upstream.receive(OK)
        client.send(get())
    upstream.receive(OK)
    assert 10 < len(it.tap.captures) < 91


async def test_a_body_beyond_the_cap_is_counted_and_costs_the_client_nothing(scene: Make) -> None:
    """What cannot be recorded as a whole is not."""
    it = scene(on(0, mirror={"body": "4B"}))
    it.plane.recording = ORDER
    client = it.client()
    client.send(request("POST", "/a", body=b"x" * 100_000))
    (await it.accept(LEGACY)).receive(OK)
    assert client.status() == 200
    assert it.tap.captures == []
    assert it.dropped() == {"body_too_big": 1}
