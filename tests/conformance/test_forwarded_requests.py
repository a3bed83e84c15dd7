"""What is accepted reaches the upstream as exactly one request, written afresh."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support_plane import TRUSTED, Rig
from tests.support_wire import SPLITS, Pieces

pytestmark = pytest.mark.asyncio(loop_scope="session")

Split = Callable[[bytes], Pieces]
every_split = pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)


def provenance(rig: Rig, host: str = "h") -> str:
    """Write what an untrusted client's request says about its way."""
    return (
        f"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: {host}\r\n"
        f'X-Forwarded-Port: {rig.port}\r\nForwarded: for=127.0.0.1;host="{host}";proto=http\r\n'
        "Via: 1.1 cutover\r\n"
    )


def expected(rig: Rig, line: str, *fields: str, framing: str = "", host: str = "h") -> bytes:
    """Write the head that the upstream should see."""
    lines = "".join(f"{field}\r\n" for field in fields)
    if framing:
        framing += "\r\n"
    return (
        f"{line} HTTP/1.1\r\nHost: {host}\r\n{lines}{provenance(rig, host)}{framing}"
        "X-Request-Id: ID\r\n\r\n"
    ).encode("latin-1")


def get(*fields: str, target: str = "/l/x", line: str = "") -> bytes:
    """Write a GET."""
    lines = "".join(f"{field}\r\n" for field in fields)
    return f"{line or f'GET {target} HTTP/1.1'}\r\nHost: h\r\n{lines}\r\n".encode("latin-1")


KEPT = [
    ("a name's case and a value's inner blanks", ("x-OdD:  a  b\t", "ACCEPT: */*"), None),
    ("an empty value", ("X-Empty: ",), None),
    ("octets above ASCII", ("X-Text: gr\xfc\xdfe",), None),
    ("repeated fields in their order", ("A: 1", "B: 2", "A: 3"), None),
    ("cookies", ("Cookie: a=1; b=2", "Cookie: c=3"), None),
    ("Authorization", ("Authorization: Bearer a.b.c",), None),
    ("names that the rules allow", ("x_allowed: 1", "X_Allowed: 2"), None),
    ("tracestate", ("tracestate: a=1",), None),
]

DROPPED = [
    "Connection: keep-alive", "Proxy-Connection: keep-alive", "Keep-Alive: timeout=5",
    "TE: trailers", "Trailer: X-Sum", "Upgrade: websocket", "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAAQAAP__", "Proxy-Authenticate: Basic", "Proxy-Authorization: Basic x",
    "Proxy: http://evil", "PROXY: x", "Cutover-Side: modern", "cutover-side: legacy",
    "cutover_side: modern", "Cutover.Side: modern", "CUTOVER_SIDE: modern", "Cutover-Shadow: v1",
    "cutover_shadow: v1", "Cutover.Shadow_Ack: v1", "Cutover-Anything: 1", "X-Request-Id: mine",
    "x_request_id: mine", "X.Request.Id: mine", "X-Forwarded-For: 1.1.1.1",
    "x_forwarded_for: 1.1.1.1", "X.Forwarded.For: 1.1.1.1", "X-Forwarded-Host: evil",
    "X-Forwarded-Proto: https", "X-Forwarded-Port: 443", "X-Forwarded-Prefix: /p",
    "X-Forwarded-Anything: 1", "X-Real-IP: 1.1.1.1", "x_real_ip: 1.1.1.1", "X-Client-IP: 1.1.1.1",
    "True-Client-IP: 1.1.1.1", "Forwarded: for=1.1.1.1", "Via: 1.0 evil", "X_Odd: 1", "X.Odd: 1",
    "Content_Length: 5", "Transfer_Encoding: chunked", "Transfer.Encoding: chunked", "Ho_st: x",
    "_: 1", "x_allowed.not: 1",
]  # fmt: skip


@every_split
@pytest.mark.parametrize("fields", [case[1] for case in KEPT], ids=[case[0] for case in KEPT])
async def test_kept_fields(rig: Rig, fields: tuple[str, ...], split: Split) -> None:
    """End-to-end fields pass in their order and spelling, only the blanks around a value go."""
    answer, client = await rig.ask(get(*fields), split=split)
    assert answer.status == 200
    kept = [f"{name}: {value.strip()}" for name, _, value in (f.partition(":") for f in fields)]
    assert rig.legacy.requests[0].raw == expected(rig, "GET /l/x", *kept)
    await client.is_clean()


@every_split
@pytest.mark.parametrize("field", DROPPED)
async def test_dropped_field(rig: Rig, field: str, split: Split) -> None:
    """A field that ends here, is ours, or would be read as another one never leaves."""
    answer, client = await rig.ask(get("Before: 1", field, "After: 2"), split=split)
    assert answer.status == 200
    assert answer.get("cutover-side") == "legacy"
    raw = rig.legacy.requests[0].raw
    assert raw == expected(rig, "GET /l/x", "Before: 1", "After: 2")
    await client.is_clean()


@every_split
async def test_nominated_fields(rig: Rig, split: Split) -> None:
    """Fields that Connection names end here, whatever they are; ours are added afterwards."""
    fields = (
        "Connection: X-Hop, authorization", "X-Hop: 1", "X-Stays: 2", "Authorization: x",
        "connection: Keep-Alive , x-forwarded-for, via", "X-HOP: 3", "Via: 1.0 a",
    )  # fmt: skip
    answer, client = await rig.ask(get(*fields), split=split)
    assert answer.status == 200
    assert rig.legacy.requests[0].raw == expected(rig, "GET /l/x", "X-Stays: 2")
    await client.is_clean()


TARGETS = [
    ("/l/x", "/l/x"), ("/", "/"), ("/l//x", "/l/x"), ("//l/x", "/l/x"), ("/./l/x", "/l/x"),
    ("/l/./x/", "/l/x/"), ("/m/../l/x", "/l/x"), ("/l/x/..", "/l/"), ("/l/x/.", "/l/x/"),
    ("/l/%78", "/l/x"), ("/l/%7e%41", "/l/~A"), ("/l/%e4%c3%bc", "/l/%E4%C3%BC"),
    ("/l/%252e%252e/x", "/l/%252e%252e/x"), ("/l/x;v=1", "/l/x;v=1"), ("/l/a.b..c", "/l/a.b..c"),
    ("/l/...", "/l/..."), ("/l/!$&'()*+,=:@", "/l/!$&'()*+,=:@"), ("/l/x?", "/l/x?"),
    ("/l/x?a=%2f..%00%zz&b[]={1}|^`&c=/../?//", "/l/x?a=%2f..%00%zz&b[]={1}|^`&c=/../?//"),
    ("http://h/l/x?q", "/l/x?q"), ("HTTP://H/l/x", "/l/x"), ("http://h", "/"),
    ("http://h?q", "/?q"),
    ("/l/" + "x" * 8189, "/l/" + "x" * 8189),
]  # fmt: skip


@every_split
@pytest.mark.parametrize(("target", "forwarded"), TARGETS, ids=[case[0][:50] for case in TARGETS])
async def test_target(rig: Rig, target: str, forwarded: str, split: Split) -> None:
    """A path leaves in its one normal spelling, a query byte for byte."""
    answer, client = await rig.ask(get(target=target), split=split)
    assert answer.status == 200
    assert rig.legacy.requests[0].raw == expected(rig, f"GET {forwarded}")
    await client.is_clean()


async def test_routed_by_what_is_forwarded(rig: Rig) -> None:
    """The route is chosen by the same spelling that the upstream receives."""
    answer, _ = await rig.ask(get(target="/l/../m/%78"))
    assert answer.get("cutover-route") == "modern"
    assert rig.modern.requests[0].target == "/m/x"


@every_split
async def test_options_of_the_whole_server(rig: Rig, split: Split) -> None:
    """`OPTIONS *` goes through as it is."""
    answer, client = await rig.ask(get(line="OPTIONS * HTTP/1.1"), split=split)
    assert answer.status == 200
    assert rig.legacy.requests[0].raw == expected(rig, "OPTIONS *")
    await client.is_clean()


@every_split
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST", "PUT", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_body_with_length(rig: Rig, method: str, version: str, split: Split) -> None:
    """A body of any method keeps its length, written by us, and never becomes another request."""
    body = b"GET /l/smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
    line = f"{method} /l/x HTTP/{version}"
    raw = get(f"content-LENGTH: \t{len(body)} ", line=line) + body
    answer, client = await rig.ask(raw, method=method, split=split)
    assert answer.status == 200
    seen = expected(rig, f"{method} /l/x", framing=f"Content-Length: {len(body)}")
    assert rig.legacy.requests[0].raw == seen + body
    if version == "1.0":
        assert await client.end() == "closed"
    else:
        await client.is_clean()
        assert len(rig.legacy.requests) == 2


CHUNKED = [
    ("plain", b"5\r\nabcde\r\n0\r\n\r\n", b"abcde"),
    ("several", b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", b"abcde"),
    ("empty", b"0\r\n\r\n", b""),
    ("hexadecimal", b"A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n", b"01234567890123456789a"),
    ("leading zeros", b"0000000000000005\r\nabcde\r\n000\r\n\r\n", b"abcde"),
    ("an extension", b'5;a=b;c="d\r\nabcde\r\n0;last\r\n\r\n', b"abcde"),
    ("an extension of 256 bytes", b"5;" + b"x" * 256 + b"\r\nabcde\r\n0\r\n\r\n", b"abcde"),
    ("trailers", b"5\r\nabcde\r\n0\r\nHost: evil\r\nContent-Length: 9\r\n\r\n", b"abcde"),
    ("a request inside", b"1c\r\nGET /l/smuggled HTTP/1.1\r\n\r\n\r\n0\r\n\r\n",
     b"GET /l/smuggled HTTP/1.1\r\n\r\n"),
]  # fmt: skip


@every_split
@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(
    ("body", "payload"), [case[1:] for case in CHUNKED], ids=[case[0] for case in CHUNKED]
)
async def test_chunked_body(
    rig: Rig, body: bytes, payload: bytes, method: str, split: Split
) -> None:
    """A chunked body is chunked anew: the payload is the same, extensions and trailers are gone."""
    raw = get("Transfer-Encoding: Chunked", line=f"{method} /l/x HTTP/1.1") + body
    answer, client = await rig.ask(raw, split=split)
    assert answer.status == 200
    seen = rig.legacy.requests[0]
    head = expected(rig, f"{method} /l/x", framing="Transfer-Encoding: chunked")
    assert seen.raw.startswith(head)
    assert seen.body == payload
    assert b";" not in seen.raw[len(head) :]
    assert seen.raw.endswith(b"0\r\n\r\n")
    await client.is_clean()
    assert len(rig.legacy.requests) == 2


@every_split
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_no_body(rig: Rig, method: str, split: Split) -> None:
    """A method that wants a body and has none says so to the upstream."""
    answer, client = await rig.ask(get(line=f"{method} /l/x HTTP/1.1"), split=split)
    assert answer.status == 200
    seen = expected(rig, f"{method} /l/x", framing="Content-Length: 0")
    assert rig.legacy.requests[0].raw == seen
    await client.is_clean()


@every_split
async def test_upgrade_keeps_the_body(rig: Rig, split: Split) -> None:
    """An Upgrade is dropped, and the body's framing counts as if it had not been there."""
    raw = get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMA",
              "Content-Length: 5", line="POST /l/x HTTP/1.1") + b"abcde"  # fmt: skip
    answer, client = await rig.ask(raw, split=split)
    assert answer.status == 200
    assert (
        rig.legacy.requests[0].raw
        == expected(rig, "POST /l/x", framing="Content-Length: 5") + b"abcde"
    )
    await client.is_clean()


@every_split
async def test_empty_line_first(rig: Rig, split: Split) -> None:
    """One empty line before a request is forgiven, before the next one again."""
    answer, client = await rig.ask(b"\r\n" + get(), split=split)
    assert answer.status == 200
    await client.send(split(b"\r\n" + get(target="/l/second")))
    assert (await client.answer()).body == b"second"
    assert [request.raw for request in rig.legacy.requests] == [
        expected(rig, "GET /l/x"), expected(rig, "GET /l/second"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("version", "fields", "says", "ends"),
    [
        ("1.1", (), None, False),
        ("1.1", ("Connection: close",), "close", True),
        ("1.1", ("Connection: keep-alive, CLOSE",), "close", True),
        ("1.0", (), "close", True),
        ("1.0", ("Connection: keep-alive",), "keep-alive", False),
        ("1.0", ("Connection: close, keep-alive",), "close", True),
    ],
)
@every_split
async def test_persistence(
    rig: Rig, version: str, fields: tuple[str, ...], says: str | None, ends: bool, split: Split
) -> None:
    """A connection persists as version and Connection say; the upstream's persists anyway."""
    raw = get(*fields, line=f"GET /l/x HTTP/{version}")
    answer, client = await rig.ask(raw, split=split)
    assert (answer.status, answer.get("connection")) == (200, says)
    assert rig.legacy.requests[0].raw == expected(rig, "GET /l/x")
    if ends:
        assert await client.end() == "closed"
    else:
        await client.is_clean()


@pytest.mark.parametrize(
    ("version", "fields", "framing"),
    [("1.0", ("Content-Length: 5",), "Content-Length: 5"), ("1.1", (), "Content-Length: 0")],
    ids=["HTTP/1.0", "no body"],
)
@every_split
async def test_expect_that_means_nothing(
    rig: Rig, version: str, fields: tuple[str, ...], framing: str, split: Split
) -> None:
    """Without a body, or in HTTP/1.0, nobody waits for a 100, and none is sent."""
    body = b"abcde" if version == "1.0" else b""
    raw = get(*fields, "Expect: 100-continue", line=f"POST /l/x HTTP/{version}") + body
    answer, client = await rig.ask(raw, split=split)
    assert answer.status == 200
    assert answer.raw.startswith(b"HTTP/1.1 200 ")
    assert rig.legacy.requests[0].raw == expected(rig, "POST /l/x", framing=framing) + body
    if version == "1.1":
        await client.is_clean()


@every_split
async def test_trusted_peer_is_believed(rig: Rig, split: Split) -> None:
    """What a trusted peer says about the way is kept, and our own hop is appended."""
    fields = (
        "X-Forwarded-For: 1.1.1.1, 2.2.2.2", "x-forwarded-for: 3.3.3.3",
        "X-Forwarded-Proto: https", "X-Forwarded-Host: shop.example", "X-Forwarded-Port: 443",
        "X-Forwarded-Prefix: /shop", "X-Real-IP: 1.1.1.1", 'Forwarded: for="_a,b"', "Via: 1.1 cdn",
        "X-Request-Id: cdn/1", "x_forwarded_for: 9.9.9.9", "Cutover-Shadow: v1",
    )  # fmt: skip
    answer, client = await rig.ask(get(*fields), source=TRUSTED, split=split)
    assert answer.status == 200
    assert (
        rig.legacy.requests[0].raw.decode()
        == (
            "GET /l/x HTTP/1.1\r\nHost: h\r\n"
            f"X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, {TRUSTED}\r\nX-Forwarded-Proto: https\r\n"
            "X-Forwarded-Host: shop.example\r\nX-Forwarded-Port: 443\r\n"
            f'Forwarded: for="_a,b", for={TRUSTED};host="h";proto=http\r\n'
            "Via: 1.1 cdn, 1.1 cutover\r\n"
            "X-Forwarded-Prefix: /shop\r\nX-Real-IP: 1.1.1.1\r\nX-Request-Id: cdn/1\r\n"
        )
        + rig.legacy.requests[0].raw.decode().partition("X-Request-Id: cdn/1\r\n")[2]
    )
    client.close()


async def test_trusted_peer_without_an_account(rig: Rig) -> None:
    """A trusted peer that says nothing is the client."""
    answer, client = await rig.ask(get(), source=TRUSTED)
    assert answer.status == 200
    seen = expected(rig, "GET /l/x").replace(b"127.0.0.1", TRUSTED.encode())
    assert rig.legacy.requests[0].raw == seen
    client.close()


@pytest.mark.parametrize(("source", "side"), [(TRUSTED, "modern"), ("127.0.0.1", "legacy")])
@every_split
async def test_override(rig: Rig, source: str, side: str, split: Split) -> None:
    """A trusted peer chooses the side; from anybody else the field counts for nothing."""
    answer, client = await rig.ask(get("Cutover-Side: modern"), source=source, split=split)
    assert (answer.status, answer.get("cutover-side")) == (200, side)
    seen = (rig.modern if side == "modern" else rig.legacy).requests[0]
    assert b"utover-" not in seen.raw
    client.close()


async def test_trace_context(rig: Rig) -> None:
    """A valid trace context passes; a malformed one is replaced by a new one."""
    valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    client = await rig.client()
    for given in (valid, "00-" + "0" * 32 + "-b7ad6b7169203331-01", "ff" + valid[2:], "nonsense"):
        await client.send([get(f"traceparent: {given}")])
        assert (await client.answer()).status == 200
    seen = [r.head.decode().partition("traceparent: ")[2] for r in rig.legacy.requests]
    assert seen[0] == valid
    assert not {valid, "nonsense"} & set(seen[1:])
