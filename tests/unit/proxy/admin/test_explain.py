from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin.explain import Explanation, explain
from proxy.admin.schemas import RequestToExplain, request_troubles
from proxy.routing.bucket import bucket_of
from proxy.routing.identity import MINT_COOKIE, mint
from proxy.routing.override import write_override
from proxy.routing.schema import load_rules
from proxy.routing.side import Side
from proxy.routing.table import Table
from proxy.wire.errors import RequestError

RULES = """\
version: 1
upstreams:
  legacy: {instances: ["http://127.0.0.1:8081"]}
  modern: {instances: ["http://127.0.0.1:8082"]}
trusted_networks: ["10.0.0.0/8"]
pins:
  - {identity: "cookie:PHPSESSID=vip", side: modern, reason: pilot}
cohorts:
  - {id: staff, side: modern, source: "header:X-Group", values: [staff], routes: [plans]}
routes:
  - id: plans
    match: {method: [GET], path: /api/plans}
    weight: 10%
    sticky_by: [cookie:PHPSESSID, header:X-Customer, client_ip]
  - id: done
    match: {path: /done}
    weight: 100%
  - id: fresh
    match: {path: /fresh}
    weight: 25%
    sticky_by: [mint]
"""
KEY = b"k" * 16
NOW = 1_790_000_000.0
SIGNED = write_override(KEY, Side.MODERN, int(NOW) + 60)


def ask(
    target: str,
    *headers: tuple[str, str],
    client_ip: str = "203.0.113.7",
    rolled_back: tuple[str, ...] = (),
    kill_switch: bool = False,
    override_key: bytes = KEY,
) -> Explanation:
    """Explain a GET by the rules above."""
    _, rules = load_rules(RULES, "rules.yaml")
    table = Table(rules, frozenset(rolled_back), kill_switch, 12, KEY)
    return explain(table, RequestToExplain("GET", target, headers, client_ip), override_key, NOW)


def step(explanation: Explanation, name: str) -> str:
    """Give outcome and detail of one step."""
    [found] = [each for each in explanation.steps if each.name == name]
    return f"{found.outcome}: {found.detail}"


def test_the_bucket_decides_and_shows_its_arithmetic() -> None:
    """Route, identity and bucket are told, and the numbers are the routing's own."""
    explanation = ask("/api/plans?page=2", ("Cookie", "a=b; PHPSESSID=3f2a"))
    bucket = bucket_of(b"cutover", b"cookie:PHPSESSID=3f2a")
    side = "modern" if bucket < 1000 else "legacy"
    assert (explanation.route, explanation.side, explanation.bucket) == ("plans", side, bucket)
    assert explanation.version == 12
    assert step(explanation, "route") == "yes: plans: GET /api/plans (line 11)"
    assert step(explanation, "identity") == "yes: cookie:PHPSESSID=3f2a"
    assert step(explanation, "bucket").startswith(f"yes: bucket {bucket} of 0..9999")


def test_the_sources_that_were_missing_are_named() -> None:
    """Why an identity is only the address is what people ask most."""
    explanation = ask("/api/plans")
    found = step(explanation, "identity")
    assert found.startswith("yes: client_ip=203.0.113.7")
    assert found.endswith("(not there: cookie:PHPSESSID, header:x-customer)")


@pytest.mark.parametrize(
    ("kwargs", "reason", "side"),
    [
        ({"kill_switch": True, "rolled_back": ("plans",)}, "kill_switch", "legacy"),
        ({"rolled_back": ("plans",)}, "rolled_back", "legacy"),
    ],
)
def test_what_stands_above_the_bucket_decides_first(
    kwargs: dict[str, object], reason: str, side: str
) -> None:
    """Steps before the decisive one say no, steps behind it are skipped."""
    explanation = ask("/api/plans", **kwargs)  # type: ignore[arg-type]  # a table of keywords
    outcomes = [each.outcome for each in explanation.steps[2:]]
    assert (explanation.reason, explanation.side, explanation.bucket) == (reason, side, None)
    assert outcomes.count("yes") == 1
    assert outcomes == sorted(outcomes, key=["no", "yes", "skipped"].index)


def test_a_pin_holds_an_identity() -> None:
    """Whatever its bucket."""
    explanation = ask("/api/plans", ("Cookie", "PHPSESSID=vip"))
    assert (explanation.reason, explanation.side) == ("pin", "modern")


@pytest.mark.parametrize(
    ("target", "group", "reason", "words"),
    [
        ("/api/plans", "staff", "cohort", "yes: by header:x-group it belongs to staff: modern"),
        ("/api/plans", "guests", "bucket", "no: this request belongs to no cohort"),
        ("/fresh", "staff", "bucket", "no: there are no cohorts here"),
    ],
)
def test_a_cohort_is_told_by_what_a_request_says(
    target: str, group: str, reason: str, words: str
) -> None:
    """Of the route that has it."""
    explanation = ask(target, ("X-Group", group))
    assert explanation.reason == reason
    assert step(explanation, "cohort") == words


@pytest.mark.parametrize(
    ("value", "client_ip", "reason", "words"),
    [
        ("modern", "10.1.2.3", "override", "which is trusted"),
        ("modern", "203.0.113.7", "bucket", "not in trusted_networks"),
        ("Modern", "10.1.2.3", "bucket", "neither legacy nor modern"),
    ],
)
def test_an_override_counts_from_trusted_networks_only(
    value: str, client_ip: str, reason: str, words: str
) -> None:
    """An ignored one is told as ignored, with the reason."""
    explanation = ask("/api/plans", ("Cutover-Side", value), client_ip=client_ip)
    assert explanation.reason == reason
    assert words in step(explanation, "override")


@pytest.mark.parametrize(
    ("value", "reason", "words"),
    [
        (SIGNED, "override", "yes: Cutover-Side: modern, with a valid token"),
        (SIGNED[:-1], "bucket", "neither legacy nor modern, alone or with a token"),
        (SIGNED.replace("modern", "legacy"), "bucket", "no key of this proxy has signed"),
        (write_override(KEY, Side.MODERN, int(NOW)), "bucket", "its token has expired"),
        (write_override(KEY, Side.MODERN, int(NOW) + 1, "done"), "bucket", "for another route"),
    ],
)
def test_a_signed_override_counts_from_anywhere(value: str, reason: str, words: str) -> None:
    """As long as its token does; of one that does not, it is told why."""
    explanation = ask("/api/plans", ("Cutover-Side", value))
    assert explanation.reason == reason
    assert words in step(explanation, "override")


def test_without_the_key_a_token_is_not_judged() -> None:
    """A rules file says nothing about who may sign."""
    explanation = ask("/api/plans", ("Cutover-Side", SIGNED), override_key=b"")
    assert "only the running proxy can judge" in step(explanation, "override")


def test_a_trusted_peer_speaks_for_its_client() -> None:
    """The identity is taken from X-Forwarded-For as the proxy takes it."""
    forwarded = ("X-Forwarded-For", "198.51.100.9, 203.0.113.50")
    explanation = ask("/api/plans", forwarded, client_ip="10.1.2.3")
    assert step(explanation, "identity").startswith("yes: client_ip=203.0.113.50")
    explanation = ask("/api/plans", forwarded, client_ip="203.0.113.7")
    assert step(explanation, "identity").startswith("yes: client_ip=203.0.113.7")


def test_all_or_nothing_needs_no_bucket() -> None:
    """At 100% the weight itself is the reason."""
    explanation = ask("/done")
    assert (explanation.reason, explanation.side) == ("weight", "modern")
    assert step(explanation, "weight") == "yes: 100%: the same side for everybody"


def test_a_new_visitor_is_drawn_and_a_known_one_recognised() -> None:
    """Without a cookie there is no side yet; with ours there is one, with a forged one not."""
    explanation = ask("/fresh")
    assert (explanation.side, explanation.bucket) == (None, None)
    assert "25% of new identities" in step(explanation, "bucket")
    cookie = f"{MINT_COOKIE.decode()}={mint(KEY, b'r' * 16).decode()}"
    assert ask("/fresh", ("Cookie", cookie)).side in ("legacy", "modern")
    assert ask("/fresh", ("Cookie", cookie + "0")).side is None


def test_a_request_without_a_route_is_answered_404() -> None:
    """And says which method and path nobody takes."""
    explanation = ask("/nowhere")
    assert (explanation.route, explanation.side, explanation.reason) == (None, None, "no_route")
    assert "no route takes GET /nowhere" in explanation.steps[0].detail


def test_the_path_is_the_one_that_routing_sees() -> None:
    """Dots and escapes are resolved before the route is looked up, or refused."""
    assert ask("/x/../api/%70lans").route == "plans"
    with pytest.raises(RequestError, match="climbs above"):
        ask("/../api/plans")


def test_what_came_from_a_request_is_cut_and_cleaned() -> None:
    """A value cannot fill the screen or command the terminal."""
    explanation = ask("/api/plans", ("X-Customer", "\xff" * 200))
    found = step(explanation, "identity")
    assert len(found) < 150
    assert found.isprintable()


@given(
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=30),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=30),
)
def test_every_acceptable_request_is_explained_or_refused(target: str, value: str) -> None:
    """Whatever passes the schema never crashes the explanation."""
    request = RequestToExplain("GET", f"/{target}", (("Cookie", value),))
    if request_troubles(request):
        return
    with contextlib.suppress(RequestError):
        assert ask(request.target, *request.headers).steps
