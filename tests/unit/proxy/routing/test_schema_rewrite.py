# ruff: noqa: E501 - a row is a mistake and what is said of it: wrapped, it could not be read
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import RulesError
from proxy.routing.rewrites import FieldEdits, PathRules, RewriteRules, Rewrites
from proxy.routing.schema import load_rules
from proxy.routing.side import Side
from proxy.wire.rewriting import Rewriting
from tests.support_routing import HEAD, route, rules

EVERYTHING = {
    "path": {"strip": "/api", "prefix": "/v2"},
    "host": "legacy.internal:8080",
    "request": {"set": {"X-Env": "prod"}, "add": {"X-Tag": ""}, "remove": ["X-Debug"]},
    "response": {"set": {"X-A": "1"}, "add": {"Set-Cookie": "a=1"}, "remove": ["Server"]},
    "location": True,
    "cookie_domain": {".Legacy.internal": ".shop.test", "gone.test": ""},
}


def rewrites(said: dict[str, Any], base: dict[str, Any] | None = None) -> Rewrites:
    """Read what a route rewrites, below what `defaults` say."""
    (only,) = rules(route("/api/*", rewrite=said), defaults={"rewrite": base or {}}).routes
    return only.rewrite


def test_a_route_rewrites_nothing_by_itself() -> None:
    """Nothing is compiled, so that nothing is asked for each request."""
    (only,) = rules().routes
    assert only.rewrite == Rewrites()
    assert RewriteRules().compile(("http://a",)) is None
    assert RewriteRules(path=PathRules("/a", "/a"), host="h").compile(()) is not None


def test_every_key_is_read() -> None:
    """For each side by itself."""
    expected = RewriteRules(
        path=PathRules("/api", "/v2"),
        host="legacy.internal:8080",
        request=FieldEdits((("X-Env", "prod"),), (("X-Tag", ""),), ("X-Debug",)),
        response=FieldEdits((("X-A", "1"),), (("Set-Cookie", "a=1"),), ("Server",)),
        location=True,
        cookie_domain=(("legacy.internal", "shop.test"), ("gone.test", "")),
    )
    assert rewrites({"legacy": EVERYTHING}) == Rewrites(legacy=expected)
    assert rewrites({"modern": EVERYTHING}) == Rewrites(modern=expected)


def test_a_route_says_otherwise_key_by_key() -> None:
    """And takes back with what says nothing: `/`, an empty text, an empty list."""
    base = {"legacy": EVERYTHING}
    whole = rewrites({}, base)
    assert whole == rewrites({"legacy": EVERYTHING})
    changed = rewrites({"legacy": {"request": {"set": {"X-Env": "test"}}}}, base).legacy
    assert changed.request == FieldEdits((("X-Env", "test"),), (("X-Tag", ""),), ("X-Debug",))
    assert changed.response == whole.legacy.response
    nothing = {
        "path": {"strip": "/", "prefix": "/"},
        "host": "",
        "request": {"set": {}, "add": {}, "remove": []},
        "response": {"set": {}, "add": {}, "remove": []},
        "location": False,
        "cookie_domain": {},
    }
    assert rewrites({"legacy": nothing}, base) == Rewrites()


def test_a_route_may_inherit_what_does_not_concern_its_paths() -> None:
    """Only what it says itself must have a meaning for it."""
    base = {"rewrite": {"legacy": {"path": {"strip": "/shop"}}}}
    (only,) = rules(route(rewrite={"legacy": {"host": "h"}}), defaults=base).routes
    assert only.rewrite.legacy == RewriteRules(PathRules("/shop"), "h")


@pytest.mark.parametrize(
    ("path", "strip", "fits"),
    [
        ("/api/*", "/api", True),
        ("/api", "/api", True),
        ("/*", "/api", True),
        ("/{any}/x", "/api", True),
        ("/api/{id}/x", "/api/7/x", True),
        ("/*", "/caf%C3%A9", True),
        ("/api/*", "/ap", False),
        ("/api/*", "/v2", False),
        ("/api", "/api/users", False),
        ("/", "/api", False),
    ],
)
def test_what_is_taken_away_must_be_there(path: str, strip: str, fits: bool) -> None:
    """Else the route would look as if it did something."""
    try:
        rules(route(path, rewrite={"modern": {"path": {"strip": strip}}}))
    except RulesError as error:
        assert not fits
        assert f"takes away `{strip}`, with which no path of `{path}` begins" in str(error)  # noqa: PT017 - either way counts
    else:
        assert fits


R = "routes: [{id: a, match: {path: /*}, rewrite: "
Q = R + "{legacy: {request: "
A = R + "{legacy: {response: "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (R + "{legasy: {}}}]", "rewrite.legasy: unknown key (found: legasy)\n    did you mean `legacy`?"),
        (R + "{legacy: 5}}]", "rewrite.legacy: must be a mapping"),
        (R + "{legacy: {paths: {}}}}]", "did you mean `path`?"),
        (R + "{legacy: {path: /api}}}]", "rewrite.legacy.path: must be a mapping"),
        (R + "{legacy: {path: {strip: api}}}}]", "path.strip: is not a path of at most 256 octets (found: 'api')\n    write `/api`"),
        (R + "{legacy: {path: {strip: /api/}}}}]", "path.strip: is not the normal spelling of a path (found: '/api/')\n    write `/api`"),
        (R + "{legacy: {path: {prefix: //evil.test}}}}]", "path.prefix: is not the normal spelling of a path (found: '//evil.test')\n    write `/evil.test`"),
        (R + "{legacy: {path: {prefix: /a/../b}}}}]", "path.prefix: is not the normal spelling of a path (found: '/a/../b')\n    write `/b`"),
        (R + "{legacy: {path: {prefix: /%61}}}}]", "path.prefix: is not the normal spelling of a path"),
        (R + "{legacy: {path: {prefix: /../x}}}}]", "path.prefix: is not a path"),
        (R + "{legacy: {path: {prefix: /a%2fb}}}}]", "path.prefix: is not a path"),
        (R + "{legacy: {path: {prefix: '/a?b'}}}}]", "path.prefix: is not a path"),
        (R + "{legacy: {path: {prefix: '/a b'}}}}]", "path.prefix: is not a path"),
        (R + '{legacy: {path: {prefix: "/a\\r\\nX: 1"}}}}]', "path.prefix: is not a path"),
        (R + "{legacy: {path: {prefix: /é}}}}]", "path.prefix: is not a path"),
        (R + "{legacy: {path: {prefix: /" + "x" * 256 + "}}}}]", "path.prefix: is not a path"),
        (R + "{legacy: {host: http://a}}}]", "rewrite.legacy.host: is not a host (found: 'http://a')\n    write `legacy.internal`"),
        (R + "{legacy: {host: 'a b'}}}]", "rewrite.legacy.host: is not a host"),
        (R + '{legacy: {host: "a\\r\\nX: 1"}}}]', "rewrite.legacy.host: is not a host"),
        (R + "{legacy: {host: é}}}]", "rewrite.legacy.host: is not a host"),
        (R + "{legacy: {location: 1}}}]", "rewrite.legacy.location: must be true or false"),
        (R + "{legacy: {cookie_domain: {'a b': x}}}}]", "`a b` is not a domain"),
        (R + "{legacy: {cookie_domain: {a.test: 'x; Secure'}}}}]", "cookie_domain.a.test: is not a domain (found: 'x; Secure')"),
        (R + '{legacy: {cookie_domain: {a.test: "x\\r\\n"}}}}]', "cookie_domain.a.test: is not a domain"),
        (R + "{legacy: {cookie_domain: {a.test: 5}}}}]", "cookie_domain.a.test: must be a text"),
        (R + "{legacy: {cookie_domain: {a.test: x, .A.test: y}}}}]", "`.A.test` stands here twice"),
        (Q + "{sets: {}}}}}]", "request.sets: unknown key (found: sets)\n    did you mean `set`?"),
        (Q + "{set: [a]}}}}]", "request.set: must be a mapping"),
        (Q + "{set: {X-A: 1}}}}}]", 'request.set.X-A: must be a text (found: 1)\n    write `"1"`'),
        (Q + "{set: {X-A: ~}}}}}]", "request.set.X-A: must be a text"),
        (Q + '{set: {X-A: "a\\r\\nX-B: 1"}}}}}]', "request.set.X-A: is not the value of a field"),
        (Q + '{set: {X-A: "a\\0"}}}}}]', "request.set.X-A: is not the value of a field"),
        (Q + "{set: {X-A: ' a'}}}}}]", "request.set.X-A: is not the value of a field"),
        (Q + "{set: {X-A: é}}}}}]", "request.set.X-A: is not the value of a field"),
        (Q + "{set: {X-A: " + "x" * 1025 + "}}}}}]", "request.set.X-A: is not the value of a field"),
        (Q + "{set: {'X A': a}}}}}]", "is not the name of a field"),
        (Q + '{set: {"X-A\\r\\nX-B": a}}}}}]', "is not the name of a field"),
        (Q + "{set: {'X-A:': a}}}}}]", "is not the name of a field"),
        (Q + "{set: {é: a}}}}}]", "is not the name of a field"),
        (Q + "{set: {X-A: a, x-a: b}}}}}]", "request.set.x-a: `x-a` stands here twice"),
        (Q + "{set: {X-A: a}, remove: [x-a]}}}}]", "rewrite.legacy.request: `x-a` is both set and removed"),
        (Q + "{remove: X-A}}}}]", "request.remove: must be a list"),
        (Q + "{remove: [5]}}}}]", "request.remove[0]: must be a text"),
        (Q + "{remove: [" + ", ".join(f"X-{n}" for n in range(33)) + "]}}}}]", "request.remove: has 33 fields; at most 32 are taken"),
        (Q + "{set: {Host: a}}}}}]", "request.set.Host: `Host` cannot be rewritten: the proxy writes it itself, or drops it (found: 'a')\n    write `host: legacy.internal`"),
    ],
)  # fmt: skip
def test_each_mistake_is_said_where_it_stands(text: str, message: str) -> None:
    """What is wrong and how to mend it; nothing that could end a line comes through."""
    with pytest.raises(RulesError) as refused:
        load_rules(HEAD + text, "f")
    assert {problem.where.line for problem in refused.value.problems} == {5}
    assert message in str(refused.value.problems[0])
    assert len(refused.value.problems) == 1


NOT_IN_REQUESTS = (
    "Host", "Content-Length", "content_length", "Transfer-Encoding", "Connection", "Keep-Alive",
    "TE", "Trailer", "Upgrade", "Proxy-Authorization", "Proxy", "Expect", "Cutover-Side",
    "cutover_shadow", "X-Forwarded-For", "X-Forwarded-Anything", "Forwarded", "Via", "X-Real-IP",
    "X-Request-Id", "x_request_id", "traceparent",
)  # fmt: skip
NOT_IN_ANSWERS = (
    "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Trailer", "Upgrade",
    "Proxy-Authenticate", "Cutover-Side", "Cutover-Anything",
)  # fmt: skip


@pytest.mark.parametrize("how", ["set", "add", "remove"])
@pytest.mark.parametrize(
    ("way", "name"),
    [("request", name) for name in NOT_IN_REQUESTS] + [("response", n) for n in NOT_IN_ANSWERS],
)
def test_what_the_proxy_itself_writes_cannot_be_rewritten(way: str, name: str, how: str) -> None:
    """Framing, the one hop, whose request it is, and our own: in every spelling."""
    said = [name] if how == "remove" else {name: "x"}
    with pytest.raises(RulesError, match="cannot be rewritten: the proxy writes it itself"):
        rewrites({"legacy": {way: {how: said}}})


_KEYS = st.sampled_from(
    ["legacy", "modern", "path", "strip", "prefix", "host", "request", "response", "set", "add",
     "remove", "location", "cookie_domain", "route", "client", "body", "rate", "burst",
     "concurrency", "X-A", "Host"]
)  # fmt: skip
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 2**70), st.floats(), st.text(max_size=6),
    st.sampled_from(["/api", "/", "", "none", "5/s", "1MB", "a.test", "X-A", "x\r\ny: z"]),
)  # fmt: skip
_JUNK = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(_JUNK, _JUNK, st.booleans())
def test_any_values_are_rules_or_refused(rewrite: Any, limits: Any, in_defaults: bool) -> None:
    """Nothing but RulesError comes out, and nothing that is read could end a line."""
    said = {"rewrite": rewrite, "limits": limits}
    try:
        found = rules(route(), defaults=said) if in_defaults else rules(route(**said))
    except RulesError as error:
        assert error.problems  # noqa: PT017 - either way counts
        return
    for side in Side:
        rewriting = found.routes[0].rewrite.towards(side).compile(("http://a",)) or Rewriting()
        block = rewriting.request(b"A: 1\r\n") + rewriting.answer(b"B: 1\r\n", b"http", b"h")
        assert block.count(b"\r") == block.count(b"\n") == block.count(b"\r\n")
        assert rewriting.target(b"/").startswith(b"/")
