from __future__ import annotations

import pytest

from shadow_compare.cookies import SetCookie, attribute_name, read_pair, read_set_cookie


@pytest.mark.parametrize(
    ("text", "cookie"),
    [
        ("S=1", SetCookie("S", "1", ())),
        (" S = a=b ;Path=/;; Secure ", SetCookie("S", "a=b", ("Path=/", "Secure"))),
        ('S="a;b"', SetCookie("S", '"a', ('b"',))),  # quotes protect no semicolon
        ("nameless; Path=/", SetCookie("", "nameless", ("Path=/",))),
        ("=nameless", SetCookie("", "nameless", ())),
        ("", SetCookie("", "", ())),
    ],
)
def test_a_cookie_is_taken_apart_as_browsers_do_it(text: str, cookie: SetCookie) -> None:
    """RFC 6265bis section 5.6, where only semicolons and the first equals sign count."""
    assert read_set_cookie(text) == cookie


def test_a_cookie_of_a_request_is_read_alike() -> None:
    """What has no name is all value."""
    assert read_pair(" a=1") == ("a", "1")
    assert read_pair("a") == ("", "a")


@pytest.mark.parametrize(
    ("attribute", "name"),
    [("HttpOnly", "httponly"), ("Path = /x", "path"), ("token=1", ""), ("", "")],
)
def test_an_attribute_has_a_name_if_browsers_heed_it(attribute: str, name: str) -> None:
    """In any case of its letters."""
    assert attribute_name(attribute) == name
