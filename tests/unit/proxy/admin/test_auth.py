from __future__ import annotations

import base64

import pytest
from starlette.datastructures import Headers

from proxy.admin.auth import Guard, credentials

PORT = 8090
HOST = "127.0.0.1:8090"
TOKEN = "correct-horse-battery-staple"
JSON = "application/json"


def judge(
    method: str = "GET", path: str = "/api/v1/status", token: str | None = None, **fields: str
) -> str:
    """Ask the guard; give `in` or the kind of the refusal."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    problem = Guard(token).refusal(method, path, Headers(raw=raw), PORT)
    return "in" if problem is None else problem.kind


@pytest.mark.parametrize(
    ("host", "verdict"),
    [
        ("127.0.0.1:8090", "in"),
        ("localhost:8090", "in"),
        ("LocalHost:8090", "in"),
        ("[::1]:8090", "in"),
        ("127.0.0.2:8090", "in"),
        ("127.0.0.1", "unknown-host"),
        ("127.0.0.1:8091", "unknown-host"),
        ("evil.example:8090", "unknown-host"),
        ("localhost.evil.example:8090", "unknown-host"),
        ("127.0.0.1.evil.example:8090", "unknown-host"),
        ("user@127.0.0.1:8090", "unknown-host"),
        ("0.0.0.0:8090", "unknown-host"),
        ("", "unknown-host"),
        ("[::1:8090", "unknown-host"),
    ],
)
def test_without_a_token_the_host_must_be_loopback_with_our_port(host: str, verdict: str) -> None:
    """A name that an attacker lets resolve to 127.0.0.1 (DNS rebinding) is not let in."""
    assert judge(host=host) == verdict


def test_one_host_exactly() -> None:
    """None, or two, could be read differently by somebody in between."""
    assert judge() == "unknown-host"
    two = Headers(raw=[(b"host", HOST.encode()), (b"host", b"evil.example")])
    problem = Guard(None).refusal("GET", "/", two, PORT)
    assert problem is not None
    assert problem.status == 421


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"content_type": JSON}, "in"),
        ({"content_type": "application/json; charset=utf-8"}, "in"),
        ({}, "cross-site"),
        ({"content_type": "text/plain"}, "cross-site"),
        ({"content_type": "application/x-www-form-urlencoded"}, "cross-site"),
        ({"origin": f"http://{HOST}", "content_type": "text/plain"}, "in"),
        ({"origin": f"https://{HOST}"}, "in"),
        ({"origin": "http://127.0.0.1:8080", "content_type": JSON}, "cross-site"),
        ({"origin": "http://evil.example", "content_type": JSON}, "cross-site"),
        ({"origin": "null", "content_type": JSON}, "cross-site"),
        ({"origin": f"file://{HOST}", "content_type": JSON}, "cross-site"),
        ({"origin": f"http://{HOST}.evil.example", "content_type": JSON}, "cross-site"),
        ({"sec_fetch_site": "same-origin"}, "in"),
        ({"sec_fetch_site": "same-origin", "origin": f"http://{HOST}"}, "in"),
        ({"sec_fetch_site": "same-origin", "origin": "http://evil.example"}, "cross-site"),
        ({"sec_fetch_site": "none"}, "in"),
        ({"sec_fetch_site": "same-site", "content_type": JSON}, "cross-site"),
        ({"sec_fetch_site": "cross-site", "content_type": JSON}, "cross-site"),
    ],
)
def test_changes_come_from_our_pages_or_from_scripts(fields: dict[str, str], verdict: str) -> None:
    """What a page of another site could have a browser send is refused, with a token or without."""
    bearer = f"Bearer {TOKEN}"
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert judge(method, host=HOST, **fields) == verdict
        assert judge(method, token=TOKEN, host=HOST, authorization=bearer, **fields) == verdict


def test_reading_needs_no_origin() -> None:
    """Links from elsewhere may lead to the console; nothing is changed by following them."""
    for method in ("GET", "HEAD"):
        assert judge(method, host=HOST, origin="http://evil.example") == "in"


@pytest.mark.parametrize(
    ("authorization", "verdict"),
    [
        (f"Bearer {TOKEN}", "in"),
        (f"bearer   {TOKEN} ", "in"),
        ("Basic " + base64.b64encode(f"ada:{TOKEN}".encode()).decode(), "in"),
        ("Basic " + base64.b64encode(f":{TOKEN}".encode()).decode(), "in"),
        ("Basic " + base64.b64encode(TOKEN.encode()).decode(), "not-authenticated"),
        ("Basic !!!", "not-authenticated"),
        ("Basic é", "not-authenticated"),
        (f"Bearer {TOKEN}x", "not-authenticated"),
        (f"Bearer {TOKEN[:-1]}", "not-authenticated"),
        ("Bearer ", "not-authenticated"),
        ("Bearer é", "not-authenticated"),
        (TOKEN, "not-authenticated"),
        (f"Digest {TOKEN}", "not-authenticated"),
        ("", "not-authenticated"),
    ],
)
def test_with_a_token_it_is_asked_for(authorization: str, verdict: str) -> None:
    """As Bearer by scripts, as the password of any user by browsers; then any Host will do."""
    fields = {"authorization": authorization, "host": "proxy.internal:443"}
    assert judge(token=TOKEN, **fields) == verdict
    assert judge(path="/metrics", token=TOKEN, **fields) == verdict
    assert judge(path="/", token=TOKEN, **fields) == verdict


def test_health_is_told_to_everybody() -> None:
    """A load balancer has no token and asks by address."""
    for path in ("/livez", "/readyz"):
        assert judge(path=path, token=TOKEN, host="10.0.0.7:8090") == "in"
        assert judge(path=path, host="10.0.0.7:8090") == "in"
    assert judge(path="/livez/../api/v1/status", token=TOKEN) == "not-authenticated"


def test_credentials_are_bytes_whatever_was_sent() -> None:
    """A password may hold colons; only the first one ends the user."""
    assert credentials("Basic " + base64.b64encode(b"u:a:b").decode()) == b"a:b"
    assert credentials("Negotiate abc") is None
