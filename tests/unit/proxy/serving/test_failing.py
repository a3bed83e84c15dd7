from __future__ import annotations

import gzip
import zlib

import pytest

from proxy.routing.side import MODERN
from proxy.serving.copying import ROOM
from proxy.serving.failing import LOOKED_AT_MAX
from tests.support_exchange import Scene, answer, get
from tests.support_routing import route

FAILS = {"status": [409], "body": [{"path": "$.ok", "equals": False}]}
FRESH = {
    "legacy": {"instances": ["http://l"]},
    "modern": {"instances": ["http://m"]},
}
"""Other upstreams, so that no connection from before is used."""

NO = b'{"ok": false}'
YES = b'{"ok": true}'


@pytest.fixture
def scene() -> Scene:
    """Give a route that modern serves, and that has failures of its own."""
    return Scene(route(weight="100%", fail_when=FAILS))


async def asked(scene: Scene, *pieces: bytes) -> dict[str, int]:
    """Ask once, let modern answer in these pieces; give what was counted."""
    client = scene.client()
    client.send(get())
    upstream = await scene.accept(MODERN)
    for piece in pieces:
        upstream.receive(piece)
    return scene.counts("all", MODERN)


@pytest.mark.parametrize(
    ("given", "bad"),
    [
        (answer(200, NO), True),
        (answer(200, YES), False),
        (answer(200, b"<p>no</p>"), False),
        (answer(200), False),
        (answer(404, NO), False),  # a client's mistake, whatever it says
        (answer(409, YES), True),
        (answer(200, gzip.compress(NO), "Content-Encoding: gzip"), True),
        (answer(200, zlib.compress(NO), "Content-Encoding: deflate"), True),
        (answer(200, gzip.compress(NO)[:-9], "Content-Encoding: gzip"), True),
        (answer(200, NO, "Content-Encoding: gzip"), False),
        (answer(200, NO, "Content-Encoding: br"), False),
        (answer(200, NO, "Content-Encoding: identity"), True),
        (answer(200, NO + b" " * LOOKED_AT_MAX), False),
        (answer(200, gzip.compress(NO + b" " * 2 * LOOKED_AT_MAX), "Content-Encoding: gzip"), True),
    ],
)
async def test_what_an_answer_says_of_itself(scene: Scene, given: bytes, bad: bool) -> None:
    """A declared status, or a value in the JSON of a good answer, is a failure of modern."""
    counts = await asked(scene, given)
    assert counts.get("bad", 0) == int(bad)


async def test_the_client_gets_the_answer_as_it_is(scene: Scene) -> None:
    """It is counted as bad, and neither changed nor asked of legacy again."""
    client = scene.client()
    client.send(get())
    (await scene.accept(MODERN)).receive(answer(200, NO))
    told = client.received()
    assert told.startswith(b"HTTP/1.1 200 ")
    assert told.endswith(NO)
    assert scene.counts("all", MODERN) == {"decided": 1, "served": 1, "bad": 1}
    (event,) = scene.tally("all", MODERN).bad_events
    assert (event.kind, event.status) == ("status", 200)


async def test_in_pieces(scene: Scene) -> None:
    """However it arrives, it is read as a whole."""
    whole = answer(200, NO)
    counts = await asked(scene, whole[:-6], whole[-6:-2], whole[-2:])
    assert counts["bad"] == 1


async def test_no_room_is_kept(scene: Scene) -> None:
    """What was looked into, cut off or given up gives its bytes back."""
    await asked(scene, answer(200, NO))
    scene.apply(route(weight="100%", fail_when=FAILS), upstreams=FRESH)
    for cut_off in (False, True):
        client = scene.client()
        client.send(get())
        upstream = await scene.accept(MODERN)
        upstream.receive(answer(200, b"x" * 1000)[:-500])
        if cut_off:
            upstream.lose(ConnectionResetError())
        else:
            client.leave()
    assert scene.plane.room.left == ROOM


async def test_an_upgrade_of_nothing(scene: Scene) -> None:
    """A route that declares nothing looks into nothing."""
    scene.apply(route(weight="100%"))
    assert (await asked(scene, answer(200, NO)))["ok"] == 1
    assert "bad" not in scene.counts("all", MODERN)


class TestCountedApart:
    """Answers that are neither good nor bad."""

    @pytest.mark.parametrize(
        ("status", "counted"),
        [
            (404, {"client_errors": 1}),
            (400, {"client_errors": 1}),
            (401, {"client_errors": 1, "denied": 1}),
            (403, {"client_errors": 1, "denied": 1}),
            (419, {"client_errors": 1, "denied": 1}),
            (422, {"client_errors": 1, "denied": 1}),
            (302, {"ok": 1}),
        ],
    )
    async def test_4xx(self, scene: Scene, status: int, counted: dict[str, int]) -> None:
        """A client's mistake is no failure of modern, and no success either."""
        assert await asked(scene, answer(status)) == {"decided": 1, "served": 1, **counted}

    async def test_who_was_denied_is_told(self, scene: Scene) -> None:
        """With the identity's hash, so that one customer counts once."""
        await asked(scene, answer(401))
        (event,) = scene.tally("all", MODERN).denied_events
        assert event.status == 401
        assert event.identity

    async def test_who_waited_long_is_told(self, scene: Scene) -> None:
        """From the route's p95 on an answer is slow; it is good all the same."""
        scene.apply(route(weight="100%", rollback={"p95": "500ms"}))
        client = scene.client()
        client.send(get())
        upstream = await scene.accept(MODERN)
        for seconds in (0.4, 0.6):
            scene.wait(seconds)
            upstream.receive(answer(200))
            client.send(get())
        assert scene.counts("all", MODERN) == {"decided": 3, "served": 2, "ok": 2, "slow": 1}
        (event,) = scene.tally("all", MODERN).slow_events
        assert event.latency == pytest.approx(0.6)

    async def test_the_controller_may_say_what_is_slow(self, scene: Scene) -> None:
        """On a route that is measured against legacy, and on no other."""
        scene.apply(
            route("/a", "a", weight="100%", rollback={"latency_tolerance": "2x"}),
            route("/b", "b", weight="100%"),
        )
        scene.plane.limit_slowness({"a": 0.1, "b": 0.1, "gone": 0.1})
        client = scene.client()
        client.send(get("/a"))
        upstream = await scene.accept(MODERN)
        for path in ("/b", "/c"):
            scene.wait(0.3)
            upstream.receive(answer(200))
            client.send(get(path))
        assert scene.counts("a", MODERN).get("slow") == 1
        assert scene.counts("b", MODERN).get("slow") is None
