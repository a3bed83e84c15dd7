from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.normalize import NotComparableError
from shadow_compare.read_back import ReadBack, member_keys, was_carried_out
from tests.support_shadow import JSON, a_capture

WRITE = a_capture(
    method="POST",
    target="/api/orders/7/items?x=1",
    status=201,
    body=b'{"data":{"id":981,"code":"a/b \\u00e4","list":[{"n":"z"}],"no":null,"yes":true}}',
    request_body=b"name=x",
    request_headers=(
        ("host", "shop.example"),
        ("cookie", "s=1"),
        ("content-type", "application/json"),
        ("idempotency-key", "k"),
    ),
)


def test_a_read_is_asked_as_the_client_who_wrote() -> None:
    """Who, but not what: nothing of the body goes along."""
    rules = ReadBack("/o/{order}?item={id}", {"order": 2}, {"id": ("data", "id")})
    read = rules.request(WRITE)
    assert (read.method, read.target, read.request_body) == ("GET", "/o/7?item=981", b"")
    assert read.request_headers == (("host", "shop.example"), ("cookie", "s=1"))
    assert (read.route, read.id, read.primary) == (WRITE.route, WRITE.id, WRITE.primary)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("data", "code"), "a%2Fb%20%C3%A4"),
        (("data", "list", 0, "n"), "z"),
        (("data", "id"), "981"),
    ],
)
def test_what_is_found_in_the_answer_stays_one_segment(
    keys: tuple[str | int, ...], value: str
) -> None:
    """Whatever it says, it cannot lead elsewhere."""
    assert ReadBack("/o/{id}", {}, {"id": keys}).request(WRITE).target == f"/o/{value}"


@given(st.text(min_size=1, max_size=20))
def test_no_value_leaves_its_place(text: str) -> None:
    """No slash, no query, no space, nothing that ends a line."""
    import orjson

    try:
        body = orjson.dumps({"id": text})
    except orjson.JSONEncodeError:  # a lone surrogate, which no answer can hold
        return
    write = a_capture(method="POST", status=201, headers=JSON, body=body)
    target = ReadBack("/o/{id}/x", {}, {"id": ("id",)}).request(write).target
    assert target.startswith("/o/")
    assert target.endswith("/x")
    assert not set(target[3:-2]) & set("/?# \r\n{}")


@pytest.mark.parametrize(
    "keys",
    [("data",), ("data", "no"), ("data", "yes"), ("data", "list", 1), ("data", "id", "x"), ("x",)],
)
def test_without_an_id_nothing_is_read(keys: tuple[str | int, ...]) -> None:
    """Neither a guess nor a crash."""
    with pytest.raises(NotComparableError, match="no_id"):
        ReadBack("/o/{id}", {}, {"id": keys}).request(WRITE)


@pytest.mark.parametrize("body", [b"", b"<p>made</p>", b"[", b'"x"'])
def test_an_answer_that_is_no_document_has_none(body: bytes) -> None:
    """An application may answer a write with a page."""
    write = a_capture(method="POST", status=201, body=body)
    with pytest.raises(NotComparableError, match="no_id"):
        ReadBack("/o/{id}", {}, {"id": ("id",)}).request(write)


def test_a_packed_answer_is_unpacked() -> None:
    """As it is for the comparison."""
    headers = (*JSON, ("content-encoding", "gzip"))
    write = a_capture(method="POST", headers=headers, body=gzip.compress(b'{"id":5}'))
    assert ReadBack("/o/{id}", {}, {"id": ("id",)}).request(write).target == "/o/5"


def test_a_path_that_is_too_short_has_no_id() -> None:
    """Rules may have changed meanwhile."""
    with pytest.raises(NotComparableError, match="no_id"):
        ReadBack("/o/{id}", {"id": 5}).request(WRITE)


def test_only_what_was_carried_out_is_read() -> None:
    """A refusal has done nothing."""
    statuses = [
        status
        for status in (200, 201, 204, 302, 404, 500)
        if was_carried_out(a_capture(status=status))
    ]
    assert statuses == [200, 201, 204]


def test_a_place_is_keys_and_indexes() -> None:
    """And one place only."""
    assert member_keys("$.data[0]['a b'].id") == ("data", 0, "a b", "id")
    with pytest.raises(ValueError, match="more than one place"):
        member_keys("$.data[*].id")
