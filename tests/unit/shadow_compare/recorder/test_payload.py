from __future__ import annotations

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.capture import Capture, Headers
from shadow_compare.recorder.payload import NotRecordableError, payload
from shadow_compare.redact import Redactor
from shadow_compare.replay import goreplay
from shadow_compare.replay.recorded import Recorded
from tests.support_shadow import a_capture

REDACTOR = Redactor(b"key")
JSON = ("content-type", "application/json")
FORM = ("content-type", "application/x-www-form-urlencoded")


def posted(body: bytes, *fields: tuple[str, str], **changes: Any) -> Capture:
    """Give a capture of a POST."""
    headers: Headers = (("host", "shop.example"), *fields)
    return a_capture(
        method="POST", target="/a", request_headers=headers, request_body=body, **changes
    )


def read_back(capture: Capture) -> Recorded:
    """Record, and read what was recorded."""
    (found,) = goreplay.read_chunks([payload(capture, REDACTOR)])
    assert isinstance(found, Recorded)
    return found


def test_what_holds_no_secret_is_read_back_as_it_was() -> None:
    """Method, target, fields and body; without what belonged to the connection."""
    body = b'{"price": 1.50, "n": 1e400}'
    found = read_back(
        posted(
            body, JSON, ("accept", "*/*"), ("connection", "close"), ("transfer-encoding", "chunked")
        )
    )
    assert (found.method, found.target, found.body) == ("POST", "/a", body)
    assert found.headers == (
        ("host", "shop.example"),
        JSON,
        ("accept", "*/*"),
        ("content-length", str(len(body))),
    )
    assert not found.is_redacted
    assert found.sendable_headers == found.headers


def test_credentials_are_taken_out_of_fields() -> None:
    """Which are then not sent; a GET without a body has none."""
    headers = (("host", "h"), ("cookie", "s=3f9c"), ("authorization", "Bearer x.y.z"), ("a", "b"))
    found = read_back(a_capture(request_headers=headers))
    assert found.sendable_headers == (("host", "h"), ("a", "b"))
    assert b"3f9c" not in payload(a_capture(request_headers=headers), REDACTOR)


@pytest.mark.parametrize(
    "capture",
    [
        a_capture(target="/a?token=s3cr3ts3cr3t"),
        a_capture(target="/a?api%5Fkey=s3cr3ts3cr3t"),
        posted(b'{"password": "s3cr3ts3cr3t"}', JSON),
        posted(b"user=a&password=s3cr3ts3cr3t", FORM),
        posted(gzip.compress(b'{"pin": "s3cr3ts3cr3t"}'), JSON, ("content-encoding", "gzip")),
        posted(b"\xff\xfes3cr3ts3cr3t", ("content-type", "image/png")),
        posted(b"s3cr3ts3cr3t"),
    ],
)
def test_what_lacks_a_secret_is_known_to(capture: Capture) -> None:
    """It is another request than it was; and of the secret nothing is written."""
    assert b"s3cr3ts3cr3t" not in payload(capture, REDACTOR)
    assert read_back(capture).is_redacted


def test_a_packed_body_without_secrets_stays_packed() -> None:
    """It is looked into, and written byte for byte."""
    body = gzip.compress(b'{"a": 1}')
    found = read_back(posted(body, JSON, ("content-encoding", "gzip")))
    assert found.body == body
    assert ("content-encoding", "gzip") in found.headers


@pytest.mark.parametrize(
    ("capture", "reason"),
    [
        (posted("🐵🙈🙉".encode(), ("content-type", "text/plain")), "separator"),
        (posted(b"x" * 70_000, ("content-type", "text/plain")), "body_too_big"),
        (posted(b"broken", JSON, ("content-encoding", "gzip")), "undecodable"),
        (posted(b"{}", JSON, ("content-encoding", "lzma")), "unknown_encoding"),
    ],
)
def test_what_cannot_be_recorded_says_why(capture: Capture, reason: str) -> None:
    """Also what would end its own record early, and begin another of somebody's choice."""
    with pytest.raises(NotRecordableError, match=reason):
        payload(capture, REDACTOR)


@given(st.binary(max_size=60), st.sampled_from([JSON, FORM, ("content-type", "text/plain")]))
def test_no_body_breaks_out_of_its_record(body: bytes, kind: tuple[str, str]) -> None:
    """Whatever a client has sent, one request is read back, or none was written."""
    try:
        written = payload(posted(body, kind), REDACTOR)
    except NotRecordableError:
        return
    assert [type(each) for each in goreplay.read_chunks([written, written])] == [Recorded] * 2
