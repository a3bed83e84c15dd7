from __future__ import annotations

import pytest

from shadow_compare.headers import header_differences
from shadow_compare.normalize import Answer, Headers


def kinds(old: Headers, new: Headers) -> list[tuple[str, str]]:
    """Give kind and place of every difference between two answers' headers."""
    return [
        (each.kind, each.place)
        for each in header_differences(Answer(200, old, b""), Answer(200, new, b""))
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((), ()),
        ((("date", "a"), ("server", "Apache")), (("date", "b"), ("x-powered-by", "PHP"))),
        (
            (("content-type", "application/json; charset=utf-8"),),
            (("content-type", 'Application/JSON;charset="UTF-8"'),),
        ),
        ((("cache-control", "no-store, no-cache"),), (("cache-control", "No-Cache,no-store"),)),
        ((("cache-control", "a, b"),), (("cache-control", "a"), ("cache-control", "b"))),
        (
            (("set-cookie", "S=1; Path=/; HttpOnly; expires=Thu, 01 Jan 1970 00:00:00 GMT"),),
            (("set-cookie", "S=2; httponly; path=/; Expires=Fri, 02 Jan 2026 00:00:00 GMT"),),
        ),
        (
            (("set-cookie", "A=1"), ("set-cookie", "B=1")),
            (("set-cookie", "B=2"), ("set-cookie", "A=2")),
        ),
    ],
)
def test_what_means_the_same_to_a_client_is_no_difference(old: Headers, new: Headers) -> None:
    """Case, spacing, order, a cookie's value and headers beyond the list do not count."""
    assert kinds(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ((("location", "/a"),), (("location", "/b"),), ("value_changed", "headers.location")),
        ((("location", "/a"),), (), ("missing", "headers.location")),
        ((), (("cache-control", "no-store"),), ("extra", "headers.cache-control")),
        (
            (("content-type", "text/html"),),
            (("content-type", "application/json"),),
            ("value_changed", "headers.content-type"),
        ),
        (
            (("set-cookie", "S=1; HttpOnly"),),
            (("set-cookie", "S=1"),),
            ("value_changed", "headers.set-cookie"),
        ),
        (
            (("set-cookie", "S=1; Path=/"),),
            (("set-cookie", "S=1; Path=/app"),),
            ("value_changed", "headers.set-cookie"),
        ),
    ],
)
def test_what_a_client_would_notice_is_a_difference(
    old: Headers, new: Headers, difference: tuple[str, str]
) -> None:
    """Where a redirect goes, whether a cookie is protected and what may be cached counts."""
    assert kinds(old, new) == [difference]
