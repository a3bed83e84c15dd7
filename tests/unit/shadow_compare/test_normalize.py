from __future__ import annotations

import gzip
import zlib

import pytest

from shadow_compare import normalize
from shadow_compare.normalize import Answer, Content, NotComparableError, decoded_body


def answer(body: bytes, *encodings: str, truncated: bool = False) -> Answer:
    """Give an answer with one Content-Encoding header per text."""
    return Answer(200, tuple(("content-encoding", each) for each in encodings), body, truncated)


def raw_deflate(body: bytes) -> bytes:
    """Compress without the zlib wrapper, as some servers do."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    "packed",
    [
        answer(b"text"),
        answer(b"text", "identity"),
        answer(gzip.compress(b"text"), "gzip"),
        answer(gzip.compress(b"text"), "X-GZIP"),
        answer(gzip.compress(b"te") + gzip.compress(b"xt"), "gzip"),
        answer(zlib.compress(b"text"), "deflate"),
        answer(raw_deflate(b"text"), "deflate"),
        answer(gzip.compress(zlib.compress(b"text")), "deflate, gzip"),
        answer(gzip.compress(zlib.compress(b"text")), "deflate", "gzip"),
    ],
)
def test_content_encodings_are_taken_off(packed: Answer) -> None:
    """Every usual encoding, also several, gives the content."""
    assert decoded_body(packed) == b"text"


def test_empty_body_needs_no_decoding() -> None:
    """The answer to HEAD names an encoding and has no body."""
    assert decoded_body(answer(b"", "gzip")) == b""


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (answer(b"text", "compress"), "unknown_encoding"),
        (answer(b"text", "br"), "undecodable"),
        (answer(b"text", "zstd"), "undecodable"),
        (answer(b"text", "gzip"), "undecodable"),
        (answer(gzip.compress(b"text")[:-3], "gzip"), "undecodable"),
        (answer(gzip.compress(b"text") + b"rubbish", "gzip"), "undecodable"),
        (answer(b"\xff\xff", "deflate"), "undecodable"),
        (answer(b"x", *["gzip"] * 9), "undecodable"),
        (answer(b"te", truncated=True), "too_big"),
    ],
)
def test_what_cannot_be_decoded_says_why(packed: Answer, reason: str) -> None:
    """A body that cannot be read is not comparable, with a reason that is counted."""
    with pytest.raises(NotComparableError) as caught:
        decoded_body(packed)
    assert caught.value.reason == reason


def test_bomb_is_refused_by_its_ratio_without_inflating_it() -> None:
    """A few kilobytes that would become megabytes are too big, also in several members."""
    bomb = gzip.compress(bytes(4 * 1024 * 1024))
    with pytest.raises(NotComparableError, match="too_big"):
        decoded_body(answer(bomb, "gzip"))
    with pytest.raises(NotComparableError, match="too_big"):
        decoded_body(answer(gzip.compress(bytes(normalize.RATIO_FREE)) * 400, "gzip"))
    with pytest.raises(NotComparableError, match="too_big"):
        decoded_body(answer(gzip.compress(gzip.compress(bytes(10**7))), "gzip, gzip"))


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("application/json", Content.JSON),
        ("Application/JSON; charset=utf-8", Content.JSON),
        ("application/problem+json", Content.JSON),
        ("text/html; charset=utf-8", Content.HTML),
        ("application/xhtml+xml", Content.HTML),
        ("application/xml", Content.XML),
        ("image/svg+xml", Content.XML),
        ("text/csv; header=present", Content.CSV),
        ("application/x-www-form-urlencoded", Content.FORM),
        ("application/pdf", Content.PDF),
        ("text/plain", Content.TEXT),
        ("application/javascript", Content.TEXT),
        ("image/png", Content.BYTES),
        ("", Content.BYTES),
    ],
)
def test_content_type_decides_how_to_compare(content_type: str, content: Content) -> None:
    """Each format by itself, other text as text, everything else as bytes."""
    assert Answer(200, (("content-type", content_type),), b"").content is content


def test_answer_without_content_type_is_bytes() -> None:
    """Nothing is guessed from the body."""
    assert Answer(200, (), b"{}").content is Content.BYTES
