from __future__ import annotations

from datetime import date

import pytest

from shadow_compare.budget import Budget
from shadow_compare.headers import compare_headers
from shadow_compare.normalize import Headers
from shadow_compare.rules import CompareRules
from shadow_compare.structure import Walk


def kinds(old: Headers, new: Headers) -> list[tuple[str, str]]:
    """Give kind and place of every difference between two answers' headers."""
    walk = Walk(CompareRules(), date(2026, 3, 1), Budget())
    compare_headers(walk, old, new)
    return [(each.kind, each.place) for each in walk.findings.differences]


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
            (("set-cookie", "S=1; Path=/; HttpOnly; expires=Thu, 01 Jan 2026 00:00:00 GMT"),),
            (("set-cookie", "S=2; httponly; path=/; Expires=Fri, 02 Jan 2026 00:00:00 GMT"),),
        ),
        (
            (("set-cookie", "A=1"), ("set-cookie", "B=1")),
            (("set-cookie", "B=2"), ("set-cookie", "A=2")),
        ),
        ((("set-cookie", "nameless"),), (("set-cookie", "=another"),)),
        (
            (("set-cookie", "A=1; Domain=.Shop.example; SameSite=Lax;"),),
            (("set-cookie", "A=1;domain=shop.example ;; samesite=lax"),),
        ),
        (
            (("content-disposition", 'Attachment; filename="a;b, c.pdf"; x=1'),),
            (("content-disposition", 'attachment;x=1;filename="a;b, c.pdf"'),),
        ),
        (
            (("content-disposition", 'attachment; filename="a\\"b.pdf"'),),
            (("content-disposition", 'attachment; filename="a\\"b.pdf" '),),
        ),
        (
            (("content-disposition", "inline; filename=a.pdf"),),
            (("content-disposition", 'inline; filename="a.pdf"'),),
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
            ("missing", "headers.set-cookie.S.httponly"),
        ),
        (
            (("set-cookie", "S=1; Path=/App"),),
            (("set-cookie", "S=1; Path=/app"),),
            ("value_changed", "headers.set-cookie.S.path"),
        ),
        (
            (("set-cookie", "S=1; Path=/; Flavour=sweet"),),
            (("set-cookie", "S=1; Path=/; Flavour=sour"),),
            ("value_changed", "headers.set-cookie.S.other[*]"),
        ),
        (
            (("set-cookie", "S=; expires=Thu, 01-Jan-1970 00:00:01 GMT"),),
            (("set-cookie", "S=1; expires=Fri, 02 Jan 2026 00:00:00 GMT"),),
            ("value_changed", "headers.set-cookie.S.expires"),
        ),
        (
            (("set-cookie", "A=1"), ("set-cookie", "B=1")),
            (("set-cookie", "A=1"),),
            ("missing", "headers.set-cookie.B"),
        ),
        (
            (("set-cookie", "A=1"),),
            (("set-cookie", "A=1"), ("set-cookie", "A=2; Path=/x")),
            ("type_changed", "headers.set-cookie.A"),
        ),
        ((("set-cookie", "A=1"),), (), ("missing", "headers.set-cookie")),
        (
            (("cache-control", 'private="a, b"'),),
            (("cache-control", 'private="a"'),),
            ("value_changed", "headers.cache-control"),
        ),
        (
            (("content-disposition", 'attachment; filename="A.pdf"'),),
            (("content-disposition", 'attachment; filename="a.pdf"'),),
            ("value_changed", "headers.content-disposition"),
        ),
    ],
)
def test_what_a_client_would_notice_is_a_difference(
    old: Headers, new: Headers, difference: tuple[str, str]
) -> None:
    """Where a redirect goes, whether a cookie is protected and what may be cached counts."""
    assert kinds(old, new) == [difference]
