"""Answers: what is good passes as it is, framed anew; what is not becomes a 502 or a cut."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support_plane import Received, Rig, Upstreamed, says
from tests.support_wire import SPLITS, Pieces

pytestmark = pytest.mark.asyncio(loop_scope="session")

Split = Callable[[bytes], Pieces]
every_split = pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)

OURS = b"Cutover-Side: legacy\r\nCutover-Route: legacy\r\n"
GET = b"GET /l/x HTTP/1.1\r\nHost: h\r\n\r\n"
GET_1_0 = b"GET /l/x HTTP/1.0\r\nHost: h\r\n\r\n"
HEAD = b"HEAD /l/x HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /l/x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde"


async def relayed(
    rig: Rig, raw: bytes, split: Split, *, request: bytes = GET
) -> tuple[bytes, bool]:
    """Give what the client gets for an upstream's bytes, and whether both connections go on."""
    rig.legacy.answers(says(*split(raw)))
    method = request.partition(b" ")[0].decode()
    answer, client = await rig.ask(request, method=method)
    upstream = rig.legacy.requests[0].connection
    if answer.get("connection") == "close":
        assert await client.end() == "closed"
        assert not client.received
    else:
        await client.is_clean()
        assert rig.legacy.requests[1].connection is upstream
    return answer.raw, not upstream.ended


@every_split
@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 2\r\n",
        b"content-length: 2\r\nX-oDD: a\r\nSET-cookie: a=1; Path=/\r\nSet-Cookie: b; Expires="
        b"Wed, 21 Oct 2026 07:28:00 GMT\r\nSet-Cookie: a=1; Path=/\r\nDate: Wed, 21 Oct 2015\r\n",
        b'Content-Length: 2\r\nETag: W/"x"\r\nVary: a\r\nVary: b\r\nX-Empty: \r\nX: \xfc\tx\r\n',
    ],
    ids=["bare", "cookies and case", "lists, blanks and octets"],
)
async def test_fields_pass_identical(rig: Rig, fields: bytes, split: Split) -> None:
    """End-to-end fields keep their order, spelling, number and octets."""
    raw, kept = await relayed(rig, b"HTTP/1.1 200 Gr\xfcn OK\r\n" + fields + b"\r\nok", split)
    first, _, rest = fields.partition(b"\r\n")
    passed = rest if first.lower() == b"content-length: 2" else fields
    assert raw == (b"HTTP/1.1 200 Gr\xfcn OK\r\n" + passed + OURS + b"Content-Length: 2\r\n\r\nok")
    assert kept


@every_split
async def test_hop_by_hop_fields_are_dropped(rig: Rig, split: Split) -> None:
    """Fields of one hop, fields that Connection names, and ours from elsewhere do not pass."""
    raw, kept = await relayed(
        rig,
        b"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\n"
        b"Proxy-Connection: x\r\nTE: x\r\nTrailer: x\r\nUpgrade: h2c\r\nProxy-Authenticate: x\r\n"
        b"HTTP2-Settings: x\r\nCutover-Side: modern\r\ncutover-anything: x\r\nX-Stays: 1\r\n"
        b"Content-Length: 2\r\n\r\nok",
        split,
    )
    assert raw == b"HTTP/1.1 200 OK\r\nX-Stays: 1\r\n" + OURS + b"Content-Length: 2\r\n\r\nok"
    assert kept


@every_split
async def test_nominated_framing_stays(rig: Rig, split: Split) -> None:
    """An answer that nominates its own framing in Connection is framed by it all the same."""
    for framing, body in (
        (b"Content-Length: 2\r\n\r\n", b"ok"),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\nok\r\n0\r\n\r\n"),
    ):
        rig.legacy.answers(
            says(
                *split(
                    b"HTTP/1.1 200 OK\r\nConnection: Content-Length, transfer-encoding\r\n"
                    + framing
                    + body
                )
            )
        )
        answer, client = await rig.ask(GET)
        assert answer.body == b"ok"
        await client.is_clean()


BODYLESS = [
    ("HEAD with a length", HEAD, b"200 OK\r\nContent-Length: 99\r\n", b"Content-Length: 99\r\n"),
    ("HEAD without a length", HEAD, b"200 OK\r\n", b""),
    ("HEAD of a chunked answer", HEAD, b"200 OK\r\nTransfer-Encoding: chunked\r\n", b""),
    ("204", GET, b"204 No Content\r\n", b""),
    ("204 with a length", GET, b"204 No Content\r\nContent-Length: 5\r\n", b""),
    ("304", GET, b"304 Not Modified\r\n", b""),
    ("304 with a length", GET, b"304 Not\r\nContent-Length: 5\r\n", b"Content-Length: 5\r\n"),
    ("a POST's 204", POST, b"204 No Content\r\n", b""),
]  # fmt: skip


@every_split
@pytest.mark.parametrize(
    ("request_", "answer", "framing"),
    [case[1:] for case in BODYLESS],
    ids=[case[0] for case in BODYLESS],
)
async def test_answers_without_body(
    rig: Rig, request_: bytes, answer: bytes, framing: bytes, split: Split
) -> None:
    """HEAD, 204 and 304 end with their head; HEAD and 304 keep the length they tell about."""
    raw, kept = await relayed(rig, b"HTTP/1.1 " + answer + b"\r\n", split, request=request_)
    line = answer.partition(b"\r\n")[0]
    assert raw == b"HTTP/1.1 " + line + b"\r\n" + OURS + framing + b"\r\n"
    assert kept


@every_split
async def test_chunked_answer(rig: Rig, split: Split) -> None:
    """A chunked answer is chunked anew: extensions and trailers are gone."""
    raw, kept = await relayed(
        rig,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: CHUNKED\r\n\r\n3;x=y\r\nabc\r\n02\r\nde\r\n"
        b"0\r\nSet-Cookie: evil=1\r\n\r\n",
        split,
    )
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head == b"HTTP/1.1 200 OK\r\n" + OURS + b"Transfer-Encoding: chunked"
    assert body.endswith(b"0\r\n\r\n")
    assert b";" not in body
    assert b"evil" not in body
    assert kept


TRAILED = (
    b"HTTP/1.1 200 OK\r\nTrailer: x-sum, Content-Length, Host\r\nTransfer-Encoding: chunked\r\n"
    b"TRAILER: Set-Cookie, Cutover-Side, Server-Timing\r\n\r\n2\r\nok\r\n0\r\n"
    b"X-Sum:  1 \r\nContent-Length: 9\r\nHost: evil\r\nSet-Cookie: evil=1\r\nX-Unlisted: evil\r\n"
    b"Cutover-Side: evil\r\nserver-timing: db\r\nX-SUM: 2\r\n\r\n"
)


@every_split
async def test_announced_trailers_pass(rig: Rig, split: Split) -> None:
    """Trailers that were announced pass, unless they would have meant something before the body."""
    raw, kept = await relayed(rig, TRAILED, split)
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head == (
        b"HTTP/1.1 200 OK\r\n" + OURS + b"Trailer: x-sum, Server-Timing\r\n"
        b"Transfer-Encoding: chunked"
    )
    assert body.endswith(b"\r\n0\r\nX-Sum: 1\r\nserver-timing: db\r\nX-SUM: 2\r\n\r\n")
    assert b"evil" not in raw
    assert kept


@every_split
async def test_trailers_end_at_http_1_0(rig: Rig, split: Split) -> None:
    """A client of HTTP/1.0 gets the body plain, and no trailers."""
    rig.legacy.answers(says(*split(TRAILED)))
    answer, client = await rig.ask(GET_1_0)
    assert answer.raw == b"HTTP/1.1 200 OK\r\n" + OURS + b"Connection: close\r\n\r\nok"
    assert await client.end() == "closed"


@every_split
async def test_trailers_that_do_not_come(rig: Rig, split: Split) -> None:
    """Trailers may be announced and not come, or come for an answer without a body of chunks."""
    for raw, framing, body in (
        (TRAILED.partition(b"X-Sum: ")[0] + b"\r\n", b"Trailer: x-sum, Server-Timing\r\n"
         b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTrailer: A\r\nContent-Length: 2\r\n\r\nok",
         b"Content-Length: 2\r\n", b"ok"),
    ):  # fmt: skip
        seen, kept = await relayed(rig, raw, split)
        assert seen.startswith(b"HTTP/1.1 200 OK\r\n" + OURS + framing + b"\r\n")
        assert seen.endswith(body)
        assert kept
        rig.forget()


@every_split
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_close_delimited_answer(rig: Rig, version: bytes, split: Split) -> None:
    """A body that ends with the connection is chunked for HTTP/1.1, whose connection goes on."""
    raw = b"HTTP/%b 200 OK\r\nConnection: close\r\n\r\nabcde" % version
    rig.legacy.answers(says(*split(raw), then="close"))
    answer, client = await rig.ask(GET)
    assert answer.head == b"HTTP/1.1 200 OK\r\n" + OURS + b"Transfer-Encoding: chunked"
    assert answer.body == b"abcde"
    await client.is_clean()


@every_split
@pytest.mark.parametrize("keep", [b"", b"Connection: keep-alive\r\n"])
@pytest.mark.parametrize(
    ("raw", "then"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n"
            b"0\r\n\r\n",
            "",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nabcde", "close"),
    ],
    ids=["chunked", "close-delimited"],
)  # fmt: skip
async def test_unknown_length_for_http_1_0(
    rig: Rig, keep: bytes, raw: bytes, then: str, split: Split
) -> None:
    """HTTP/1.0 knows no chunks: the body goes out plain and ends with the connection."""
    rig.legacy.answers(says(*split(raw), then=then))
    request = b"GET /l/x HTTP/1.0\r\nHost: h\r\n" + keep + b"\r\n"
    answer, client = await rig.ask(request)
    assert answer.raw == b"HTTP/1.1 200 OK\r\n" + OURS + b"Connection: close\r\n\r\nabcde"
    assert await client.end() == "closed"


@every_split
@pytest.mark.parametrize(
    ("version", "fields", "kept"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"Connection: close\r\n", False),
        (b"1.0", b"", False),
        (b"1.0", b"Connection: keep-alive\r\n", True),
        (b"1.1", b"Keep-Alive: timeout=1\r\n", False),
        (b"1.1", b"Keep-Alive: timeout=30, max=5\r\n", True),
    ],
)
async def test_upstream_persistence(
    rig: Rig, version: bytes, fields: bytes, kept: bool, split: Split
) -> None:
    """An upstream's connection is used again when it says so, and a second before it would end."""
    raw = b"HTTP/%b 200 OK\r\n%bContent-Length: 2\r\n\r\nok" % (version, fields)
    rig.legacy.answers(says(*split(raw)))
    _, client = await rig.ask(GET)
    await client.is_clean()
    first, second = (request.connection for request in rig.legacy.requests)
    assert (first is second) is kept


# Interim answers


@every_split
async def test_interim_answers_pass(rig: Rig, split: Split) -> None:
    """Early hints pass without the fields of one hop; the upstream's own 100 does not."""
    rig.legacy.answers(
        says(
            *split(
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n"
                b"Connection: X-Hop\r\nX-Hop: 1\r\nCutover-Side: x\r\nContent-Length: 3\r\n"
                b"Keep-Alive: timeout=1\r\nProxy-Connection: x\r\nTE: x\r\nTrailer: x\r\n"
                b"Upgrade: h2c\r\nProxy-Authenticate: x\r\nHTTP2-Settings: x\r\n\r\n"
                b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            )
        )
    )
    client = await rig.client()
    await client.send([GET])
    await client.until(lambda: client.received.endswith(b"ok"), "answer")
    assert client.received == (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
        b"HTTP/1.1 200 OK\r\n" + OURS + b"Content-Length: 2\r\n\r\nok"
    )
    client.received.clear()
    await client.is_clean()


@every_split
async def test_interim_answers_stop_at_http_1_0(rig: Rig, split: Split) -> None:
    """A client of HTTP/1.0 knows no interim answers and gets none."""
    raw = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    rig.legacy.answers(says(*split(raw)))
    answer, _ = await rig.ask(GET_1_0)
    assert answer.raw.startswith(b"HTTP/1.1 200 OK\r\n")


@every_split
async def test_eight_interim_answers(rig: Rig, split: Split) -> None:
    """Eight interim answers are borne."""
    raw = b"HTTP/1.1 103 Hints\r\n\r\n" * 8 + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    rig.legacy.answers(says(*split(raw)))
    client = await rig.client()
    await client.send([GET])
    await client.until(lambda: client.received.endswith(b"ok"), "answer")
    assert client.received.count(b" 103 ") == 8


# Answers that are not HTTP as we accept it

BAD = [
    ("CL and TE", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok"),
    ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"),
    ("a list of lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok"),
    ("a signed length", b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"),
    ("an empty length", b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok"),
    ("a huge length", b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nok"),
    ("a listed coding", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ("an unknown coding", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
    ("a coding twice", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
     b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a coding in HTTP/1.0", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("CL and TE on a 304", b"HTTP/1.1 304 Not\r\nContent-Length: 2\r\n"
     b"Transfer-Encoding: chunked\r\n\r\n"),
    ("obs-fold", b"HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\nContent-Length: 2\r\n\r\nok"),
    ("a control character", b"HTTP/1.1 200 OK\r\nX: \x01\r\nContent-Length: 2\r\n\r\nok"),
    ("NUL", b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 2\r\n\r\nok"),
    ("a bare LF", b"HTTP/1.1 200 OK\r\nX: 1\nY: 2\r\nContent-Length: 2\r\n\r\nok"),
    ("bare LFs only", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
    ("a bare CR", b"HTTP/1.1 200 OK\r\nX: 1\rY: 2\r\nContent-Length: 2\r\n\r\nok"),
    ("a space before the colon", b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok"),
    ("no field name", b"HTTP/1.1 200 OK\r\n: 2\r\n\r\nok"),
    ("status 000", b"HTTP/1.1 000 OK\r\nContent-Length: 2\r\n\r\nok"),
    ("status 099", b"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok"),
    ("status 600", b"HTTP/1.1 600 OK\r\nContent-Length: 2\r\n\r\nok"),
    ("status 999", b"HTTP/1.1 999 OK\r\nContent-Length: 2\r\n\r\nok"),
    ("status of two digits", b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok"),
    ("status of four digits", b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok"),
    ("a signed status", b"HTTP/1.1 +20 OK\r\nContent-Length: 2\r\n\r\nok"),
    ("HTTP/2", b"HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    ("HTTP/1.2", b"HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    ("no HTTP at all", b"SSH-2.0-OpenSSH_9.2\r\n"),
    ("no HTTP and no line", b"\x00\x01\x02\x03\x04\x05\x06\x07"),
    ("an HTTP/0.9 answer", b"<html>hello</html>\r\n"),
    ("an empty line first", b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    ("a control character in the reason", b"HTTP/1.1 200 O\x00K\r\nContent-Length: 2\r\n\r\nok"),
    ("101 fields", b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 101 + b"\r\n"),
    ("a head of more than 32 KB", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 33_000 + b"\r\n\r\n"),
    ("a head without an end", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 33_000),
    ("an unasked 101", b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\n"
     b"Upgrade: websocket\r\n\r\n"),
    ("nine interim answers", b"HTTP/1.1 102 Processing\r\n\r\n" * 9),
    ("a broken interim answer", b"HTTP/1.1 103 Hints\r\nX : 1\r\n\r\n"),
]  # fmt: skip


@every_split
@pytest.mark.parametrize("request_", [GET, POST], ids=["GET", "POST"])
@pytest.mark.parametrize("raw", [case[1] for case in BAD], ids=[case[0] for case in BAD])
async def test_bad_answer(rig: Rig, raw: bytes, request_: bytes, split: Split) -> None:
    """An answer that breaks HTTP is a 502, and both connections are closed."""
    rig.legacy.answers(says(*split(raw)))
    client = await rig.client()
    await client.send([request_])
    await client.until(lambda: client.ended, "end")
    interim, _, last = bytes(client.received).rpartition(b"HTTP/1.1 502 ")
    assert last.startswith(b"Bad Gateway\r\n")
    assert b"Connection: close\r\n" in last
    assert interim.replace(b"HTTP/1.1 102 Processing\r\n\r\n", b"") == b""
    connection = rig.legacy.requests[0].connection
    await connection.end()
    assert len(rig.legacy.requests) == 1


@every_split
async def test_bad_answer_of_modern(rig: Rig, split: Split) -> None:
    """When modern's answer breaks HTTP, a read is served by legacy, a write is not sent again."""
    rig.modern.answers(says(*split(BAD[0][1])))
    answer, client = await rig.ask(GET.replace(b"/l/", b"/m/"))
    assert (answer.status, answer.body, answer.get("cutover-side")) == (200, b"x", "legacy")
    await client.is_clean()
    rig.forget()
    rig.modern.answers(says(*split(BAD[0][1])))
    answer, _ = await rig.ask(POST.replace(b"/l/", b"/m/"))
    assert answer.status == 502
    assert not rig.legacy.requests


CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n"

CUT_BODIES = [
    ("a bad chunk size", CHUNKS, b"x\r\n", ""),
    ("a chunk longer than it said", CHUNKS, b"1\r\nabc", ""),
    ("a bare LF in chunks", CHUNKS, b"1\na", ""),
    ("a close within a length", b"Content-Length: 9\r\n\r\n", b"abc", "close"),
    ("a reset within a length", b"Content-Length: 9\r\n\r\n", b"abc", "reset"),
    ("a close within a chunk", CHUNKS, b"5\r\nabc", "close"),
    ("a close before the last chunk", CHUNKS, b"3\r\nabc\r\n", "close"),
    ("a close within the trailer", CHUNKS, b"0\r\n", "close"),
    ("a reset before the last chunk", CHUNKS, b"3\r\nabc\r\n", "reset"),
    ("a reset for an end", b"\r\n", b"abc", "reset"),
]  # fmt: skip


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
@pytest.mark.parametrize("method", [b"GET", b"POST"])
@pytest.mark.parametrize(
    ("fields", "body", "then"),
    [case[1:] for case in CUT_BODIES],
    ids=[case[0] for case in CUT_BODIES],
)
async def test_cut_off_answer(
    rig: Rig, fields: bytes, body: bytes, then: str, method: bytes, version: bytes
) -> None:
    """Once the head has gone out, a broken answer ends in a reset: no end is invented."""
    client = await rig.client()

    async def handler(connection: Upstreamed, _: Received) -> None:
        await connection.send([b"HTTP/1.1 200 OK\r\n" + fields])
        await client.until(lambda: client.received.endswith(b"\r\n\r\n"), "head")
        await says(body, then=then)(connection, _)

    rig.legacy.answers(handler)
    request = method + b" /l/x HTTP/" + version + b"\r\nHost: h\r\n\r\n"
    await client.send([request])
    assert await client.end() == "reset"
    assert not client.received.endswith(b"0\r\n\r\n")
    assert len(rig.legacy.requests) == 1
    assert rig.log.lines[-1]["outcome"] in ("reset", "protocol")


async def test_broken_at_once_is_served_by_legacy(rig: Rig) -> None:
    """An answer of modern that breaks off before a byte went out has not begun for the client."""
    rig.modern.answers(
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nx\r\n")
    )
    answer, client = await rig.ask(GET.replace(b"/l/", b"/m/"))
    assert (answer.status, answer.body, answer.get("cutover-side")) == (200, b"x", "legacy")
    await client.is_clean()


async def test_small_answer_of_modern_breaks_off(rig: Rig) -> None:
    """A read whose small answer modern cuts off is served by legacy; a write's is a reset."""
    broken = says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"abc", then="reset")
    rig.modern.answers(broken)
    answer, client = await rig.ask(GET.replace(b"/l/", b"/m/"))
    assert (answer.status, answer.body, answer.get("cutover-side")) == (200, b"x", "legacy")
    await client.is_clean()
    rig.forget()
    rig.modern.answers(broken)
    client = await rig.client()
    await client.send([POST.replace(b"/l/", b"/m/")])
    assert await client.end() == "reset"
    assert not rig.legacy.requests


# More than was asked for

SECOND = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond"


@every_split
@pytest.mark.parametrize(
    ("request_", "raw"),
    [
        (GET, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        (GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
        (HEAD, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
        (GET, b"HTTP/1.1 204 No Content\r\n\r\n"),
        (GET, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n"),
    ],
    ids=["length", "chunked", "HEAD", "204", "304"],
)
@pytest.mark.parametrize("surplus", [SECOND, b"ok", b"\r\n"], ids=["answer", "body", "line"])
async def test_surplus(rig: Rig, request_: bytes, raw: bytes, surplus: bytes, split: Split) -> None:
    """Bytes beyond an answer reach nobody, and their connection is not used again."""
    rig.legacy.answers(says(*split(raw + surplus)))
    answer, client = await rig.ask(request_, method=request_[:4].decode().strip())
    assert answer.body in (b"ok", b"")
    connection = rig.legacy.requests[0].connection
    await connection.end()
    await client.is_clean()
    assert rig.legacy.requests[1].connection is not connection


async def test_answer_nobody_asked_for(rig: Rig) -> None:
    """An answer on an idle connection is thrown away with the connection."""
    _, client = await rig.ask(GET)
    connection = rig.legacy.requests[0].connection
    await connection.send([SECOND])
    await connection.end()
    await client.is_clean()
    assert rig.legacy.requests[1].connection is not connection


async def test_answer_nobody_asked_for_races_a_request(rig: Rig) -> None:
    """Bytes that the event loop has not told yet are not taken for the answer to the next request.

    The upstream writes to the socket itself while the loop stands still, the request is read in
    the same turn: so both wait in their sockets when the loop goes on.
    """
    for round_ in range(20):
        client = await rig.client()
        await client.is_clean()
        rig.forget()
        connection = next(c for c in rig.legacy.connections if not c.ended)
        token = b"GET /l/mine-%d HTTP/1.1\r\nHost: h\r\n\r\n" % round_
        client.write_now(token)
        connection.write_now(SECOND)
        assert (await client.answer()).body == b"mine-%d" % round_
        client.close()
