from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.contract import (
    acknowledgement,
    mark,
    mark_of_read,
    read_acknowledgement,
    read_mark,
)

KEY = b"k" * 32
OTHER = b"o" * 32
REQUEST = ("POST", "/api/subscriptions?a=1", b"user_id=1")


def test_the_signature_of_a_request_is_the_one_that_is_documented() -> None:
    """Any language can make it: HMAC-SHA256 over six lines."""
    digest = hashlib.sha256(b"user_id=1").hexdigest()
    lines = ["cutover shadow v1", "POST", "/api/subscriptions?a=1", digest, "1767225600", "r.1"]
    sig = hmac.new(KEY, "\n".join(lines).encode(), "sha256").hexdigest()
    expected = f"v1;ts=1767225600;id=r.1;sig={sig}"
    assert mark(KEY, *REQUEST, at=1_767_225_600, identifier="r.1") == expected


def test_the_signature_of_an_answer_is_the_one_that_is_documented() -> None:
    """HMAC-SHA256 over four lines."""
    digest = hashlib.sha256(b"made").hexdigest()
    lines = ["cutover shadow ack v1", "r.1", "201", digest]
    sig = hmac.new(KEY, "\n".join(lines).encode(), "sha256").hexdigest()
    assert acknowledgement(KEY, "r.1", 201, b"made") == f"v1;id=r.1;sig={sig}"


@given(
    st.binary(max_size=50), st.from_regex(r"/[!-~]{0,30}", fullmatch=True), st.integers(0, 10**12)
)
def test_what_is_written_is_read_and_verified(body: bytes, target: str, at: int) -> None:
    """By the holder of the same key, for the same request."""
    read = read_mark(mark(KEY, "PUT", target, body, at=at, identifier="r-1"))
    assert read is not None
    assert (read.id, read.at, read.is_signed) == ("r-1", at, True)
    assert read.is_by(KEY, "PUT", target, body)


@pytest.mark.parametrize(
    ("key", "method", "target", "body"),
    [
        (OTHER, *REQUEST),
        (KEY, "PUT", *REQUEST[1:]),
        (KEY, "POST", "/api/subscriptions?a=2", REQUEST[2]),
        (KEY, *REQUEST[:2], b"user_id=2"),
    ],
)
def test_a_mark_holds_for_one_request_only(
    key: bytes, method: str, target: str, body: bytes
) -> None:
    """Another key, method, target or body: it is not by us."""
    read = read_mark(mark(KEY, *REQUEST, at=1, identifier="r"))
    assert read is not None
    assert not read.is_by(key, method, target, body)


@pytest.mark.parametrize(("old", "new"), [("ts=1;", "ts=2;"), ("id=r;", "id=s;")])
def test_time_and_id_are_signed(old: str, new: str) -> None:
    """Neither can be renewed by who has seen a mark."""
    forged = read_mark(mark(KEY, *REQUEST, at=1, identifier="r").replace(old, new))
    assert forged is not None
    assert not forged.is_by(KEY, *REQUEST)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v1",
        "v2;ts=1;id=a;sig=" + "0" * 64,
        "v1;ts=1;id=a;sig=" + "0" * 63,
        "v1;ts=1;id=a;sig=" + "G" * 64,
        "v1;ts=+1;id=a;sig=" + "0" * 64,
        "v1;ts=1 ;id=a;sig=" + "0" * 64,
        "v1;ts=\u0661;id=a;sig=" + "0" * 64,
        "v1;ts=1;id=;sig=" + "0" * 64,
        "v1;ts=1;id=a\n;sig=" + "0" * 64,
        "v1;ts=1;id=a;sig=" + "0" * 64 + "\n",
        "v1;ts=1;ts=1;id=a;sig=" + "0" * 64,
        "v1;ts=1;id=" + "a" * 201 + ";sig=" + "0" * 64,
    ],
)
def test_what_is_no_mark_is_not_read(text: str) -> None:
    """Strictly: a mark is written by us, and by nobody by hand."""
    found = read_mark(text)
    assert found is None or not found.is_signed


def test_a_read_is_marked_without_a_signature() -> None:
    """Whether it is a repetition is no secret."""
    read = read_mark(mark_of_read("r1"))
    assert read is not None
    assert (read.id, read.is_signed) == ("r1", False)


@pytest.mark.parametrize("body", [b"", b"made"])
def test_an_acknowledgement_holds_for_one_answer_only(body: bytes) -> None:
    """Another key, id, status or body: it is not by the application."""
    read = read_acknowledgement(acknowledgement(KEY, "r", 201, body))
    assert read is not None
    assert read.is_by(KEY, "r", 201, body)
    assert not read.is_by(OTHER, "r", 201, body)
    assert not read.is_by(KEY, "s", 201, body)
    assert not read.is_by(KEY, "r", 200, body)
    assert not read.is_by(KEY, "r", 201, body + b"x")


def test_an_answer_whose_body_is_omitted_says_so() -> None:
    """Its signature is another one: nobody can take the body out of an answer."""
    read = read_acknowledgement(acknowledgement(KEY, "r", 200, None))
    assert read is not None
    assert read.omitted
    assert read.is_by(KEY, "r", 200, b"whatever was left of it")
    whole = acknowledgement(KEY, "r", 200, b"x").replace("id=r;", "id=r;body=omitted;")
    forged = read_acknowledgement(whole)
    assert forged is not None
    assert not forged.is_by(KEY, "r", 200, b"")


def test_a_mark_is_no_acknowledgement() -> None:
    """An application that sends back what it was sent has understood nothing."""
    assert read_acknowledgement(mark(KEY, *REQUEST, at=1, identifier="r")) is None
    assert read_acknowledgement(mark_of_read("r")) is None
