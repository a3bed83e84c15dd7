"""What is rewritten for a side is exactly what it sees, and what it says comes back rewritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support_plane import TRUSTED, Rig, says
from tests.support_wire import SPLITS, Pieces

pytestmark = pytest.mark.asyncio(loop_scope="session")

Split = Callable[[bytes], Pieces]
every_split = pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)

MODERN = {
    "path": {"strip": "/api", "prefix": "/v2"},
    "host": "modern.internal",
    "request": {"set": {"X-Env": "prod"}, "add": {"X-Tag": "a"}, "remove": ["X-Debug"]},
    "response": {"set": {"X-Frame": "DENY"}, "add": {"X-Tag": "b"}, "remove": ["Server"]},
    "location": True,
    "cookie_domain": {"modern.internal": "shop.test", "gone.test": ""},
}


def rewrite(rig: Rig, weight: str = "100%", **sides: dict[str, Any]) -> None:
    """Put a route for /api before the others that rewrites."""
    plain = rig.document({}) | {"allowed_headers": ["x_env", "x_other"], "expose_decision": True}
    route = {"id": "api", "match": {"path": "/api/*"}, "weight": weight, "rewrite": sides}
    plain["routes"].insert(0, route)
    rig.rules(plain)


def written(rig: Rig, line: str, host: str, *fields: str, framing: str = "") -> bytes:
    """Write what the upstream should see; the account of the client is not rewritten."""
    lines = "".join(f"{field}\r\n" for field in fields)
    return (
        f"{line} HTTP/1.1\r\nHost: {host}\r\n{lines}"
        "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n"
        f"X-Forwarded-Host: shop.test\r\nX-Forwarded-Port: {rig.port}\r\n"
        'Forwarded: for=127.0.0.1;host="shop.test";proto=http\r\nVia: 1.1 cutover\r\n'
        f"{framing}X-Request-Id: ID\r\n\r\n"
    ).encode()


def get(target: str, *fields: str, method: str = "GET") -> bytes:
    """Write a request without a body."""
    lines = "".join(f"{field}\r\n" for field in fields)
    return f"{method} {target} HTTP/1.1\r\nHost: shop.test\r\n{lines}\r\n".encode()


@every_split
@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ("/api/users?u=/api/x", "/v2/users?u=/api/x"),
        ("/api//a/../users", "/v2/users"),
        ("/%61pi/%7Eme", "/v2/~me"),
        ("/api/", "/v2/"),
        ("http://shop.test/api/x", "/v2/x"),
    ],
)
async def test_target_and_host(own_rig: Rig, asked: str, seen: str, split: Split) -> None:
    """The path that routing saw is rewritten, the query is not, and the client's Host is told."""
    rewrite(own_rig, modern={"path": MODERN["path"], "host": MODERN["host"]})
    answer, client = await own_rig.ask(get(asked), split=split)
    assert answer.status == 200
    assert own_rig.modern.requests[0].raw == written(own_rig, f"GET {seen}", "modern.internal")
    await client.is_clean()
    await own_rig.is_clean()


@every_split
async def test_request_fields(own_rig: Rig, split: Split) -> None:
    """Set, added and removed in every spelling; others keep their order and case."""
    rewrite(own_rig, modern={"request": MODERN["request"]})
    fields = ("x-env: mine", "A: 1", "X_Env: mine", "X-DEBUG: 1", "X_Other: 2", "X-Tag: mine")
    answer, client = await own_rig.ask(get("/api/x", *fields), split=split)
    assert answer.status == 200
    kept = ("A: 1", "X_Other: 2", "X-Tag: mine", "X-Env: prod", "X-Tag: a")
    assert own_rig.modern.requests[0].raw == written(own_rig, "GET /api/x", "shop.test", *kept)
    await client.is_clean()


@every_split
async def test_a_body_goes_with_a_rewritten_head(own_rig: Rig, split: Split) -> None:
    """Its framing is not touched."""
    rewrite(own_rig, modern=MODERN)
    raw = get("/api/x", "Content-Length: 3", method="POST") + b"abc"
    answer, client = await own_rig.ask(raw, split=split)
    assert answer.status == 200
    head = written(
        own_rig, "POST /v2/x", "modern.internal", "X-Env: prod", "X-Tag: a",
        framing="Content-Length: 3\r\n",
    )  # fmt: skip
    assert own_rig.modern.requests[0].raw == head + b"abc"
    await client.is_clean()


ANSWER = (
    b"HTTP/1.1 302 Found\r\nServer: x/1.0\r\nLocation: http://modern.internal/v2/login?next=/v2\r\n"
    b"Content-Location: /v2/a\r\nRefresh: 5; url=http://modern.internal/v2/b\r\n"
    b"Set-Cookie: a=1; Domain=modern.internal; Path=/v2; Secure\r\n"
    b"Set-Cookie: b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Domain=gone.test\r\n"
    b"X-Frame: SAMEORIGIN\r\nContent-Length: 2\r\n\r\nhi"
)
REWRITTEN = (
    b"HTTP/1.1 302 Found\r\nLocation: http://shop.test/api/login?next=/v2\r\n"
    b"Content-Location: /api/a\r\nRefresh: 5; url=http://shop.test/api/b\r\n"
    b"Set-Cookie: a=1; Domain=shop.test; Path=/api; Secure\r\n"
    b"Set-Cookie: b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT\r\n"
    b"X-Frame: DENY\r\nX-Tag: b\r\nCutover-Side: modern\r\nCutover-Route: api\r\n"
    b"Content-Length: 2\r\n\r\nhi"
)


@every_split
async def test_an_answer(own_rig: Rig, split: Split) -> None:
    """To the octet, and the same for the second who asks."""
    rewrite(own_rig, modern=MODERN)
    own_rig.modern.answers(says(*split(ANSWER)), says(*split(ANSWER)))
    for _ in range(2):
        answer, client = await own_rig.ask(get("/api/x"))
        assert answer.raw == REWRITTEN
        await client.is_clean()
    await own_rig.is_clean()


async def test_the_instance_s_own_address(own_rig: Rig) -> None:
    """Becomes that by which the client came, which a trusted peer knows better than we."""
    rewrite(own_rig, modern={"location": True})
    location = f"http://127.0.0.1:{own_rig.modern.port}/api/y"
    moved = says(
        f"HTTP/1.1 301 Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    )
    own_rig.modern.answers(moved, moved, moved)
    answer, client = await own_rig.ask(get("/api/x"))
    assert answer.get("location") == "http://shop.test/api/y"
    await client.is_clean()
    public = ("X-Forwarded-Proto: https", "X-Forwarded-Host: www.shop.test, inner.test")
    answer, client = await own_rig.ask(get("/api/x", *public), source=TRUSTED)
    assert answer.get("location") == "https://www.shop.test/api/y"
    await client.is_clean()
    lies = ("X-Forwarded-Proto: gopher", "X-Forwarded-Host: a/b")
    answer, client = await own_rig.ask(get("/api/x", *lies), source=TRUSTED)
    assert answer.get("location") == "http://shop.test/api/y"
    await client.is_clean()


async def test_a_client_cannot_name_where_answers_lead(own_rig: Rig) -> None:
    """What an untrusted peer says of itself is no origin."""
    rewrite(own_rig, modern={"location": True})
    location = f"http://127.0.0.1:{own_rig.modern.port}/y"
    own_rig.modern.answers(
        says(f"HTTP/1.1 301 Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())
    )
    answer, _ = await own_rig.ask(get("/api/x", "X-Forwarded-Host: evil.test"))
    assert answer.get("location") == "http://shop.test/y"


async def test_interim_answers_lose_what_final_ones_lose(own_rig: Rig) -> None:
    """And nothing is added to them."""
    rewrite(own_rig, modern=MODERN)
    own_rig.modern.answers(
        says(
            b"HTTP/1.1 103 Early Hints\r\nServer: x\r\nLink: </a.css>\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        )
    )
    client = await own_rig.client()
    await client.send([get("/api/x")])
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    await client.until(lambda: b"X-Frame" in client.received, "final answer")
    assert client.received.startswith(hints + b"HTTP/1.1 200 OK\r\nX-Frame: DENY\r\n")


async def test_a_fallback_is_rewritten_for_legacy(own_rig: Rig) -> None:
    """Each side is asked by its own names, whichever was asked before."""
    rewrite(
        own_rig,
        modern={"path": {"strip": "/api", "prefix": "/v2"}, "response": {"add": {"X-By": "m"}}},
        legacy={"host": "legacy.internal", "response": {"add": {"X-By": "l"}}},
    )
    own_rig.modern.answers(says(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"))
    answer, client = await own_rig.ask(get("/api/x"))
    assert (answer.status, answer.body, answer.get("x-by")) == (200, b"x", "l")
    assert own_rig.modern.requests[0].raw == written(own_rig, "GET /v2/x", "shop.test")
    assert own_rig.legacy.requests[0].raw == written(own_rig, "GET /api/x", "legacy.internal")
    await client.is_clean()


async def test_a_retry_is_rewritten_like_the_first_attempt(own_rig: Rig) -> None:
    """A connection that died is no reason to ask for something else."""
    rewrite(own_rig, modern=MODERN)
    _, client = await own_rig.ask(get("/api/first"))
    own_rig.modern.answers(says(then="reset"))
    await client.send([get("/api/x")])
    assert (await client.answer()).body == b"x"
    raw = written(own_rig, "GET /v2/x", "modern.internal", "X-Env: prod", "X-Tag: a")
    assert [request.raw for request in own_rig.modern.requests[1:]] == [raw, raw]


async def test_a_websocket_handshake(own_rig: Rig) -> None:
    """It is rewritten both ways, and what passes behind it is not."""
    rewrite(own_rig, modern=MODERN)
    own_rig.modern.answers(
        says(
            b"HTTP/1.1 101 Switching Protocols\r\nServer: x\r\nSet-Cookie: a=1; Path=/v2\r\n"
            b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nLocation: /v2\r\n"
        )
    )
    client = await own_rig.client()
    await client.send([get("/api/ws", "Connection: upgrade", "Upgrade: websocket")])
    received = await own_rig.modern.got(1)
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    assert received.raw == written(
        own_rig, "GET /v2/ws", "modern.internal", "X-Env: prod", "X-Tag: a", framing=upgrade
    )
    told = (
        b"HTTP/1.1 101 Switching Protocols\r\nSet-Cookie: a=1; Path=/api\r\nX-Frame: DENY\r\n"
        b"X-Tag: b\r\nCutover-Side: modern\r\nCutover-Route: api\r\n" + upgrade.encode() + b"\r\n"
        b"Location: /v2\r\n"
    )
    await client.until(lambda: len(client.received) >= len(told), "the tunnel")
    assert bytes(client.received) == told
