from __future__ import annotations

import ssl

import pytest

from shadow_compare.asking import _origin, mirrored_headers, request_bytes
from shadow_compare.normalize import NotComparableError
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
    assert mirrored_headers(a_capture(request_headers=headers), None) == (
        ("host", "shop.example"),
        ("range", "bytes=0-9"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("x-request-id", "req-1"),
        ("cutover-shadow", "v1;id=req-1"),
    )


def test_mark_cannot_be_forged_in_any_spelling() -> None:
    """Only our own mark is sent, also where underscores pass for hyphens."""
    headers = (("cutover-shadow", "x"), ("cutover_shadow", "y"))
    found = mirrored_headers(a_capture(request_headers=headers), None)
    assert [each for each in found if "shadow" in each[0]] == [("cutover-shadow", "v1;id=req-1")]


def test_host_of_a_side_replaces_the_clients() -> None:
    """A side that is configured with a Host of its own gets that one."""
    assert mirrored_headers(a_capture(), "legacy.internal")[0] == ("host", "legacy.internal")


def test_request_is_written_as_the_client_wrote_it() -> None:
    """Target and values stay byte for byte; a body gets its length."""
    capture = a_capture(
        target="/a/../b?c=%7e", request_headers=(("host", "h"), ("x", "\xe9")), request_body=b"ab"
    )
    assert request_bytes(capture, None) == (
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
        request_bytes(a_capture(**changes), None)


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
