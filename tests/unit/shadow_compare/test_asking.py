from __future__ import annotations

import re
import ssl
from dataclasses import replace

import pytest

from shadow_compare.asking import (
    Seal,
    _origin,
    acknowledged,
    mirrored_headers,
    request_bytes,
    write_id,
)
from shadow_compare.contract import acknowledgement, mark
from shadow_compare.normalize import Answer, NotAcknowledgedError, NotComparableError
from shadow_compare.transport import Origin
from tests.support_shadow import a_capture

TLS = ssl.create_default_context()


def test_headers_of_the_connection_and_validators_stay_behind() -> None:
    """What concerns the client's connection, or one side's copy, is not sent to the other side."""
    headers = (
        ("host", "shop.example"),
        ("connection", "close, X-Private"),
        ("x-private", "1"),
        ("te", "trailers"),
        ("content-length", "0"),
        ("if-none-match", '"a"'),
        ("range", "bytes=0-9"),
        ("x-request-id", "abc"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
    )
    assert mirrored_headers(a_capture(request_headers=headers), None, "v1;id=req-1") == (
        ("host", "shop.example"),
        ("range", "bytes=0-9"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("x-request-id", "req-1"),
        ("cutover-shadow", "v1;id=req-1"),
    )


def test_mark_cannot_be_forged_in_any_spelling() -> None:
    """Only our own mark is sent, also where underscores pass for hyphens."""
    headers = (("cutover-shadow", "x"), ("cutover_shadow", "y"), ("cutover.shadow", "z"))
    found = mirrored_headers(a_capture(request_headers=headers), None, "v1;id=req-1")
    assert [each for each in found if "shadow" in each[0]] == [("cutover-shadow", "v1;id=req-1")]


def test_host_of_a_side_replaces_the_clients() -> None:
    """A side that is configured with a Host of its own gets that one."""
    assert mirrored_headers(a_capture(), "legacy.internal", "v1;id=req-1")[0] == (
        "host",
        "legacy.internal",
    )


def test_request_is_written_as_the_client_wrote_it() -> None:
    """Target and values stay byte for byte; a body gets its length."""
    capture = a_capture(
        target="/a/../b?c=%7e", request_headers=(("host", "h"), ("x", "\xe9")), request_body=b"ab"
    )
    assert request_bytes(capture, None, "v1;id=req-1") == (
        b"GET /a/../b?c=%7e HTTP/1.1\r\nhost: h\r\nx: \xe9\r\n"
        b"x-request-id: req-1\r\ncutover-shadow: v1;id=req-1\r\ncontent-length: 2\r\n\r\nab"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"target": "/a b"},
        {"target": "/a\r\nx: y"},
        {"request_headers": (("x", "a\r\n\r\nGET /b HTTP/1.1"),)},
        {"request_headers": (("x\n", "a"),)},
        {"request_headers": (("x", "a\0"),)},
        {"request_headers": (("x", "\u20ac"),)},
    ],
)
def test_what_would_not_be_one_request_is_refused(changes: dict[str, object]) -> None:
    """Nothing in a capture can write a second request or another header."""
    with pytest.raises(NotComparableError, match="bad_request"):
        request_bytes(a_capture(**changes), None, "v1;id=req-1")


@pytest.mark.parametrize(("method", "says_so"), [("POST", True), ("PUT", True), ("DELETE", False)])
def test_a_write_without_a_body_says_so(method: str, says_so: bool) -> None:
    """Where one is expected (RFC 9110, 8.6)."""
    written = request_bytes(a_capture(method=method), None, "v1;id=r")
    assert (b"\r\ncontent-length: 0\r\n" in written) is says_so


SEAL = Seal(b"k" * 32, "r.1", 5)


def test_a_seal_marks_the_request_as_it_is_asked() -> None:
    """With method, target and body."""
    capture = a_capture(method="PUT", target="/a?b", request_body=b"c")
    expected = mark(SEAL.key, "PUT", "/a?b", b"c", at=5, identifier="r.1")
    assert SEAL.mark(capture) == expected
    assert "kkkk" not in repr(SEAL)


def test_the_id_of_a_write_is_its_own_and_stays() -> None:
    """Two requests with one id are two; one that is delivered twice is one."""
    capture = a_capture(method="POST", request_body=b"a")
    assert write_id(capture) == write_id(replace(capture, version=9))
    others = [
        replace(capture, at=capture.at + 0.001),
        replace(capture, latency=0.02),
        replace(capture, target="/b"),
        replace(capture, method="PUT"),
        replace(capture, request_body=b"b"),
        replace(capture, id="req-2"),
    ]
    assert len({write_id(each) for each in (capture, *others)}) == 1 + len(others)


def said(
    *acknowledgements: str, status: int = 201, body: bytes = b"made", truncated: bool = False
) -> Answer:
    """Give an answer with these acknowledgements."""
    headers = (("x", "1"), *(("cutover-shadow-ack", each) for each in acknowledgements))
    return Answer(status, headers, body, truncated)


GOOD = acknowledgement(SEAL.key, "r.1", 201, b"made")
OMITTED = acknowledgement(SEAL.key, "r.1", 201, None)


def test_an_acknowledged_answer_is_compared_without_its_acknowledgement() -> None:
    """It is a word between the two of us."""
    found = acknowledged(said(GOOD), SEAL)
    assert (found.status, found.headers, found.body) == (201, (("x", "1"),), b"made")
    assert not found.truncated


def test_an_answer_that_was_not_kept_counts_as_cut_off() -> None:
    """It was acknowledged all the same, so writes go on."""
    assert acknowledged(said(OMITTED, body=b""), SEAL).truncated
    assert acknowledged(said(OMITTED, body=b"", truncated=True), SEAL).truncated


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (said(), "has no cutover-shadow-ack"),
        (said(status=500), r"its answer \(500\) has no"),
        (said(GOOD, GOOD), "is wrong"),
        (said("v1"), "is wrong"),
        (said(GOOD, status=200), "is wrong"),
        (said(GOOD, body=b"made "), "is wrong"),
        (said(GOOD, body=b"", truncated=True), "is wrong"),
        (said(acknowledgement(b"o" * 32, "r.1", 201, b"made")), "is wrong"),
        (said(acknowledgement(SEAL.key, "r.2", 201, b"made")), "is wrong"),
        (said(SEAL.mark(a_capture())), "is wrong"),
    ],
)
def test_any_other_answer_acknowledges_nothing(answer: Answer, why: str) -> None:
    """However near it comes."""
    with pytest.raises(NotAcknowledgedError) as caught:
        acknowledged(answer, SEAL)
    assert re.search(why, caught.value.why)
    assert caught.value.reason == "not_acknowledged"


@pytest.mark.parametrize(
    ("base", "server_name", "origin"),
    [
        ("http://a:81", "", Origin("a", 81)),
        ("http://a", "b", Origin("a", 80)),
        ("https://a.", "", Origin("a.", 443, TLS, "a")),
        ("https://[::1]:82", "b", Origin("::1", 82, TLS, "b")),
    ],
)
def test_an_origin_is_read_from_the_address_in_the_rules(
    base: str, server_name: str, origin: Origin
) -> None:
    """With TLS where it says so, and only there."""
    assert _origin(base, TLS, server_name) == origin


def test_nobody_is_asked_without_being_verified() -> None:
    """A session cookie of a client is not sent to just anybody."""
    with pytest.raises(ValueError, match="nothing to verify"):
        _origin("https://a", None, "")
