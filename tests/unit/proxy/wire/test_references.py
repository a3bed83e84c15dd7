from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.path_rewrite import PathRewrite
from proxy.wire.references import References

OWN = (b"http://10.0.0.5:8081", b"http://[2001:db8::5]:8081", b"http://legacy.internal")
MOVED = PathRewrite(b"/api", b"/v2")


@pytest.mark.parametrize(
    ("value", "scheme", "host", "outside"),
    [
        # The upstream's own address, in every spelling
        ("http://10.0.0.5:8081/v2/x?a=/v2#f", "https", "shop.test", "https://shop.test/api/x?a=/v2#f"),
        ("HTTP://10.0.0.5:8081/v2", "http", "shop.test", "http://shop.test/api"),
        ("http://[2001:DB8::5]:8081/v2", "http", "shop.test:8080", "http://shop.test:8080/api"),
        ("http://Legacy.Internal/v2", "http", "shop.test", "http://shop.test/api"),
        ("http://legacy.internal:80/v2", "http", "shop.test", "http://shop.test/api"),
        ("http://legacy.internal/login", "http", "shop.test", "http://shop.test/login"),
        ("http://legacy.internal", "http", "shop.test", "http://shop.test/"),
        ("http://legacy.internal?x", "http", "shop.test", "http://shop.test/?x"),
        ("//legacy.internal/v2/x", "https", "shop.test", "//shop.test/api/x"),
        # Another scheme is meant
        ("https://legacy.internal/v2", "http", "shop.test:8080", "https://shop.test/api"),
        ("https://legacy.internal/v2", "http", "[::1]:8080", "https://[::1]/api"),
        # The client's own address, which the application knows from Host
        ("http://shop.test/v2/x", "http", "shop.test", "http://shop.test/api/x"),
        ("http://shop.test:80/v2/x", "http", "SHOP.test", "http://shop.test:80/api/x"),
        ("https://shop.test/v2/x", "http", "shop.test", "https://shop.test/api/x"),
        ("http://shop.test:8080/v2/x", "http", "shop.test:8080", "http://shop.test:8080/api/x"),
        ("//shop.test/v2/x", "https", "shop.test", "//shop.test/api/x"),
        # Only a path
        ("/v2/x?u=http://legacy.internal/", "http", "shop.test", "/api/x?u=http://legacy.internal/"),
        ("/v2", "http", "shop.test", "/api"),
        ("/v2#top", "http", "shop.test", "/api#top"),
        # What names something else, or nothing certain, passes
        ("/login", "http", "shop.test", None),
        ("x/y", "http", "shop.test", None),
        ("?page=2", "http", "shop.test", None),
        ("", "http", "shop.test", None),
        ("http://other.test/v2", "http", "shop.test", None),
        ("http://10.0.0.5:8082/v2", "http", "shop.test", None),
        ("http://10.0.0.5/v2", "http", "shop.test", None),
        ("http://legacy.internal:8080/v2", "http", "shop.test", None),
        ("http://legacy.internal.evil.test/", "http", "shop.test", None),
        ("http://legacy.internal@evil.test/", "http", "shop.test", None),
        ("http://evil@legacy.internal/", "http", "shop.test", None),
        ("http:\\\\legacy.internal/v2", "http", "shop.test", None),
        ("http://legacy.internal\\@evil.test/", "http", "shop.test", None),
        ("/v2/\t/evil.test", "http", "shop.test", None),
        ("http:/v2", "http", "shop.test", None),
        ("ftp://legacy.internal/v2", "http", "shop.test", None),
        ("mailto:me@legacy.internal", "http", "shop.test", None),
        ("http://shop.test:8081/v2", "http", "shop.test", None),
    ],
)  # fmt: skip
def test_locations(value: str, scheme: str, host: str, outside: str | None) -> None:
    """The upstream's own names become the client's; all else passes octet by octet."""
    found = References(OWN, b"http", MOVED).location(value.encode(), scheme.encode(), host.encode())
    assert found.decode() == (value if outside is None else outside)


@pytest.mark.parametrize(
    ("value", "outside"),
    [
        ("5; url=http://legacy.internal/v2/x", "5; url=http://shop.test/api/x"),
        ("0;URL='/v2/x'", "0;URL='/api/x'"),
        ('1.5, url="/v2/x"', '1.5, url="/api/x"'),
        ("5", "5"),
        ("5; url='/v2", "5; url='/v2"),
        ("5; uri=/v2", "5; uri=/v2"),
    ],
)
def test_refresh(value: str, outside: str) -> None:
    """The reference in it is turned, and nothing around it."""
    block = f"Refresh: {value}\r\n".encode()
    assert References(OWN, b"http", MOVED).back(block, b"http", b"shop.test") == (
        f"Refresh: {outside}\r\n".encode()
    )


@pytest.mark.parametrize(
    ("value", "outside"),
    [
        ("a=1; Domain=legacy.internal; Path=/v2", "a=1; Domain=shop.test; Path=/api"),
        ("a=1; domain=.LEGACY.internal", "a=1; domain=shop.test"),
        ("a=1;Domain = legacy.internal;Secure", "a=1;Domain =shop.test;Secure"),
        ("a=1; Domain=gone.test; HttpOnly", "a=1; HttpOnly"),
        ("a=1; Domain=gone.test", "a=1"),
        ("a=1; Domain=a.legacy.internal", "a=1; Domain=a.legacy.internal"),
        ("a=1; Domain=", "a=1; Domain="),
        ("a=1; Domain", "a=1; Domain"),
        ("Domain=legacy.internal", "Domain=legacy.internal"),
        ('a="x; Domain=gone.test', 'a="x'),
        ("a=1; Path=/v2/", "a=1; Path=/api"),
        ("a=1; path=/v2/admin", "a=1; path=/api/admin"),
        ("a=1; Path=/; Secure", "a=1; Path=/; Secure"),
        ("a=1; Path=v2", "a=1; Path=v2"),
        ("a=1; Path", "a=1; Path"),
        ("a=1; Path=/v2/\\x", "a=1; Path=/v2/\\x"),
        ("__Host-a=1; Path=/v2; Secure", "__Host-a=1; Path=/v2; Secure"),
        (
            "a=b=c; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Max-Age=5; SameSite=Lax",
            "a=b=c; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Max-Age=5; SameSite=Lax",
        ),
        ("", ""),
    ],
)
def test_cookies(value: str, outside: str) -> None:
    """Domain and path are turned where they are named, and every other octet stays."""
    domains = {b"legacy.internal": b"shop.test", b"gone.test": b""}
    found = References(path=MOVED, domains=domains).cookie(value.encode())
    assert found.decode() == outside


def test_a_cookie_for_this_host_alone_keeps_its_path() -> None:
    """A browser throws away a `__Host-` cookie with any other (RFC 6265bis, 4.1.3.2)."""
    stripped = References(path=PathRewrite(b"/api", b""))
    assert stripped.cookie(b"__Host-a=1; Path=/; Secure") == b"__Host-a=1; Path=/; Secure"
    assert stripped.cookie(b"a=1; Path=/; Secure") == b"a=1; Path=/api; Secure"


BLOCK = (
    b"Server: x\r\nlocation: http://legacy.internal/v2/a\r\nSet-Cookie: a=1; Path=/v2\r\n"
    b"Set-Cookie: b=2\r\nX-Location: http://legacy.internal/\r\n"
    b"Content-Location: /v2/b\r\n"
)


def test_only_the_lines_meant_are_turned() -> None:
    """In their order and case, each Set-Cookie by itself."""
    found = References(OWN, b"http", MOVED).back(BLOCK, b"https", b"shop.test")
    assert found == (
        b"Server: x\r\nlocation: https://shop.test/api/a\r\nSet-Cookie: a=1; Path=/api\r\n"
        b"Set-Cookie: b=2\r\nX-Location: http://legacy.internal/\r\n"
        b"Content-Location: /api/b\r\n"
    )


def test_without_locations_only_cookies_are_turned() -> None:
    """A rewritten path moves cookies with it; references only when the route says so."""
    found = References(OWN, b"http", MOVED, locations=False).back(BLOCK, b"https", b"shop.test")
    assert found == BLOCK.replace(b"Path=/v2", b"Path=/api")


def test_an_upstream_asked_by_tls_is_named_by_https() -> None:
    """Then plain http is the scheme that means another."""
    secure = References([b"https://legacy.internal"], b"https")
    location = b"https://legacy.internal/x"
    assert secure.location(location, b"http", b"shop.test") == b"http://shop.test/x"
    location = b"http://legacy.internal/x"
    assert secure.location(location, b"https", b"shop.test") == b"http://shop.test/x"


@given(st.binary(max_size=60).filter(lambda value: b"\r" not in value and b"\n" not in value))
def test_no_value_becomes_two_lines_or_breaks_the_turning(value: bytes) -> None:
    """Whatever an application says, one line in is one line out."""
    found = References(OWN, b"http", MOVED, {b"a.test": b""})
    for name in (b"Location", b"Refresh", b"Set-Cookie"):
        block = found.back(b"%b: %b\r\n" % (name, value), b"http", b"shop.test")
        assert block.startswith(name + b": ")
        assert block.count(b"\n") == block.count(b"\r") == 1
