from __future__ import annotations

import pytest

from shadow_compare.capture import Headers
from shadow_compare.config import Rewrite
from shadow_compare.replay.hosts import OwnHost

SIDE = OwnHost("127.0.0.1:8082", "http://127.0.0.1:8082")
CLIENT = "127.0.0.1:8081"


class Prefixing:
    """Rewrites as rules may: a path, the Host, and where an answer leads."""

    def request(self, target: str, headers: Headers) -> tuple[str, Headers]:
        """Put a prefix before the path, and ask for another host."""
        return f"/v2{target}", tuple(
            ("host", "inner") if n == "host" else (n, v) for n, v in headers
        )

    def answer(self, headers: Headers, host: str) -> Headers:
        """Lead to the client's host."""
        return tuple((n, v.replace("http://inner", f"http://{host}")) for n, v in headers)


def test_a_side_is_asked_by_its_own_host() -> None:
    """Whatever host the recording has."""
    asked = SIDE.request("/a?b", (("host", "shop.example"), ("accept", "*/*")))
    assert asked == ("/a?b", (("host", "127.0.0.1:8082"), ("accept", "*/*")))
    assert SIDE.request("/", ())[1] == (("host", "127.0.0.1:8082"),)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8082/in?x#y", "http://127.0.0.1:8081/in?x#y"),
        ("HTTP://127.0.0.1:8082", "http://127.0.0.1:8081"),
        ("http://127.0.0.1:8082?x", "http://127.0.0.1:8081?x"),
        ("http://127.0.0.1:80820/", "http://127.0.0.1:80820/"),
        ("http://127.0.0.1:8082.evil/", "http://127.0.0.1:8082.evil/"),
        ("http://elsewhere/", "http://elsewhere/"),
        ("/in", "/in"),
        ("", ""),
    ],
)
def test_where_a_side_leads_to_itself_both_lead_to_the_same(url: str, expected: str) -> None:
    """Their own addresses are no difference."""
    headers = (("location", url), ("x-location", url))
    assert SIDE.answer(headers, CLIENT) == (("location", expected), ("x-location", url))


def test_what_the_rules_rewrite_stays_rewritten() -> None:
    """A Host of the rules is the one that the side is asked by."""
    rules: Rewrite = Prefixing()
    side = OwnHost("127.0.0.1:8082", "http://127.0.0.1:8082", rules)
    assert side.request("/a", ()) == ("/v2/a", (("host", "inner"),))
    assert side.answer((("location", "http://inner/a"),), CLIENT) == (
        ("location", "http://127.0.0.1:8081/a"),
    )
