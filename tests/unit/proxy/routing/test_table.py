from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import RulesError
from proxy.routing.rules import Rules
from proxy.routing.schema import rules_from_plain
from proxy.routing.side import Side
from proxy.routing.table import _CACHE_MAX, Table
from tests.support_routing import plain, request, route, rules


def table(*paths: str, **others: Any) -> Table:
    """Compile routes that are named after their paths."""
    return Table(rules(*(route(path, f"r{i}") for i, path in enumerate(paths)), **others))


def matched(of: Table, path: str, method: str = "GET") -> str | None:
    """Give the pattern that takes a path."""
    found = of.match(method, path)
    assert found is of.match(method, path)  # remembered, and the same
    return None if found is None else found.rules.match.path


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/", "/"),
        ("/api/plans", "/api/plans"),
        ("/api/plans/", None),
        ("/api/plans/7", "/api/plans/{id}"),
        ("/api/plans/7/", None),
        ("/api/plans/all", "/api/plans/{id}"),  # first in the file, though `all` is more exact
        ("/api/users/7/name", "/api/users/{id}/name"),
        ("/api/users//name", None),
        ("/files", None),
        ("/files/", "/files/*"),
        ("/files/a/b/c", "/files/*"),
        ("/files/x", "/files/*"),
        ("/API/plans", None),
        ("/api/plans/%7B", "/api/plans/{id}"),
        ("/{id}", None),
        ("*", "/"),  # OPTIONS *: about the server as a whole
    ],
)
def test_the_first_route_of_the_file_wins(path: str, pattern: str | None) -> None:
    """Whatever is more exact, order is what operators see."""
    found = table("/", "/api/plans", "/api/plans/{id}", "/api/users/{id}/name", "/files/*")
    assert matched(found, path) == pattern


def test_an_exact_route_behind_a_wide_one_of_other_methods_is_reached() -> None:
    """The search goes on past what takes the path but not the method."""
    found = Table(
        rules(
            route("/a/*", "rest", method=["POST"]),
            route("/a/{x}", "one", method=["DELETE"]),
            route("/a/b", "exact", method=["GET"]),
            route("/*", "all"),
        )
    )
    wanted = {"GET": "exact", "HEAD": "exact", "POST": "rest", "DELETE": "one", "PUT": "all"}
    for method, name in wanted.items():
        taken = found.match(method, "/a/b")
        assert taken is not None
        assert taken.id == name


@pytest.mark.parametrize(
    ("methods", "taken"),
    [(["GET"], "GET HEAD"), (["HEAD"], "HEAD"), (["POST"], "POST"), ([], "GET HEAD POST OPTIONS")],
)
def test_head_follows_get(methods: list[str], taken: str) -> None:
    """RFC 9110, 9.3.2: they ask for the same resource."""
    found = Table(rules(route("/a", method=methods)))
    asked = [m for m in ("GET", "HEAD", "POST", "OPTIONS") if found.match(m, "/a")]
    assert asked == taken.split()


# Against a naive matcher


def naive(of: Rules, method: str, path: str) -> str | None:
    """Try the routes one by one, as the documentation of patterns says."""
    for each in of.routes:
        methods = set(each.match.methods)
        if methods and method not in methods | ({"HEAD"} if "GET" in methods else set()):
            continue
        if _takes(each.match.path, path):
            return each.id
    return None


def _takes(pattern: str, path: str) -> bool:
    if pattern.endswith("/*") and path.count("/") >= pattern.count("/"):
        pattern = pattern[:-1] + "/".join(path.split("/")[pattern.count("/") :])
    parts, segments = pattern.split("/"), path.split("/")
    return len(parts) == len(segments) and all(
        bool(segment) if part.startswith("{") else part == segment
        for part, segment in zip(parts, segments, strict=True)
    )


_SEGMENT = st.sampled_from(["a", "b", "{x}"])
_PATTERN = st.lists(_SEGMENT, max_size=3).flatmap(
    lambda parts: st.sampled_from(["", "*", "a", "b"]).map(
        lambda last: "/" + "/".join([*_distinct(parts), last])
    )
)
_METHODS = st.lists(st.sampled_from(["GET", "HEAD", "POST"]), max_size=2, unique=True)
_PATH = st.lists(st.sampled_from(["a", "b", "c"]), max_size=4).flatmap(
    lambda parts: st.sampled_from(["", "a", "c"]).map(lambda last: "/" + "/".join([*parts, last]))
)


def _distinct(parts: list[str]) -> list[str]:
    return [f"{{x{i}}}" if part == "{x}" else part for i, part in enumerate(parts)]


@given(
    st.lists(st.tuples(_PATTERN, _METHODS), min_size=1, max_size=8),
    st.lists(st.tuples(st.sampled_from(["GET", "HEAD", "POST", "PUT"]), _PATH), max_size=8),
)
def test_the_table_finds_what_a_naive_search_finds(
    routes: list[tuple[str, list[str]]], requests: list[tuple[str, str]]
) -> None:
    """The tree is faster, not other; and a route it calls unreachable is never found."""
    document = plain(*(route(p, f"r{i}", method=m) for i, (p, m) in enumerate(routes)))
    reachable = _without_hidden(document)
    found = Table(rules_from_plain(reachable))
    for method, path in requests:
        taken = found.match(method, path)
        assert (taken.id if taken else None) == naive(found.rules, method, path)


def _without_hidden(document: dict[str, Any]) -> dict[str, Any]:
    kept: list[Any] = []
    for each in document["routes"]:
        try:
            rules_from_plain({**document, "routes": [*kept, each]})
        except RulesError:
            continue
        kept.append(each)
    return {**document, "routes": kept}


def test_two_thousand_routes() -> None:
    """Each is found, the last as well as the first."""
    found = table(*(f"/api/r{i}/{{id}}" for i in range(2000)), "/*")
    assert [matched(found, f"/api/r{i}/7") for i in range(2000)] == [
        f"/api/r{i}/{{id}}" for i in range(2000)
    ]
    assert matched(found, "/api/r2000/7") == "/*"


def test_a_path_as_deep_as_the_wire_allows_is_matched() -> None:
    """The search is as deep as the patterns, not as the path."""
    found = table("/" + "/".join(f"{{s{i}}}" for i in range(64)), "/*")
    assert matched(found, "/a" * 4096) == "/*"


# Parameters and identities


def test_parameters_are_the_segments_they_stand_for() -> None:
    """Only where an identity is taken from them: nobody else asks."""
    found = Table(
        rules(
            route("/u/{user}/i/{id}", "a", sticky_by=["path:user", "path:id"]),
            route("/v/{user}", "b"),
        )
    )
    first, second = found.routes
    assert found.parameters(first, "/u/17/i/4") == {"user": "17", "id": "4"}
    assert found.parameters(second, "/v/17") == {}


@pytest.mark.parametrize(
    ("sticky_by", "fields", "identity"),
    [
        (["cookie:a", "header:b", "client_ip"], {"cookie": "a=1", "b": "2"}, b"cookie:a=1"),
        (["cookie:a", "header:b", "client_ip"], {"b": "2"}, b"header:b=2"),
        (["cookie:a", "header:b", "client_ip"], {}, b"client_ip=192.0.2.1"),
        (["cookie:a"], {}, b"client_ip=192.0.2.1"),
        (["cookie:a", "mint"], {"cookie": "a=1"}, b"cookie:a=1"),
        (["cookie:a", "mint"], {}, None),
        (["mint"], {"cookie": "cutover_id=forged.0011223344556677"}, None),
        (["path:id", "mint"], {}, b"path:id=17"),
    ],
)
def test_the_first_source_that_has_one_gives_the_identity(
    sticky_by: list[str], fields: dict[str, str], identity: bytes | None
) -> None:
    """The address is what is left, unless one is to be minted."""
    found = Table(rules(route("/u/{id}", sticky_by=sticky_by)), mint_key=b"key")
    (only,) = found.routes
    parameters = found.parameters(only, "/u/17")
    assert only.identify(request(**fields), b"192.0.2.1", parameters) == identity


# Trust


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.1.2.3", True),
        ("11.0.0.1", False),
        ("::ffff:10.1.2.3", True),
        ("::ffff:11.0.0.1", False),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
        ("fe80::1%eth0", True),
        ("", False),
        ("unknown", False),
        ("10.1.2.3:80", False),
        ("10.1.2", False),
        ("0x0a.1.2.3", False),
    ],
)
def test_trust_goes_by_network(address: str, trusted: bool) -> None:
    """An IPv4 address counts the same however it is written; what is none is not trusted."""
    found = table("/*", trusted_networks=["10.0.0.0/8", "2001:db8::/32", "fe80::/10"])
    assert found.trusts(address) is trusted
    assert found.trusts(address) is trusted


def test_nobody_is_trusted_unless_it_is_said() -> None:
    """Not even the machine itself."""
    assert not table("/*").trusts("127.0.0.1")


def test_what_is_known_of_addresses_is_bounded() -> None:
    """X-Forwarded-For may name any number of them."""
    found = table("/*")
    for i in range(_CACHE_MAX + 10):
        found.trusts(f"10.0.{i >> 8}.{i & 255}")
    assert len(found._trust) == 10


@given(
    *[st.frozensets(st.sampled_from("abc"))] * 4,
    st.booleans(),
    st.booleans(),
)
def test_a_table_made_from_the_one_before_decides_as_one_made_anew(
    was_back: frozenset[str],
    is_back: frozenset[str],
    was_halted: frozenset[str],
    is_halted: frozenset[str],
    was_killed: bool,
    is_killed: bool,
) -> None:
    """And takes from it the routes that have not changed."""
    writes = {"share": "100%", "writes": "dry_run"}
    found = rules(*(route(f"/{name}", name, weight="50%", mirror=writes) for name in "abc"))
    before = Table(found, was_back, was_killed, halted_writes=was_halted)
    after = Table(found, is_back, is_killed, halted_writes=is_halted, before=before)
    anew = Table(found, is_back, is_killed, halted_writes=is_halted)
    for old, new, wanted in zip(before.routes, after.routes, anew.routes, strict=True):
        assert after.match("GET", f"/{new.id}") is new
        assert (new.weight, new.writes) == (wanted.weight, wanted.writes)
        assert new.decide(b"x") == wanted.decide(b"x")
        as_before = was_killed is is_killed and all(
            (new.id in was) is (new.id in now)
            for was, now in ((was_back, is_back), (was_halted, is_halted))
        )
        assert (new is old) is as_before


def test_other_rules_make_other_routes() -> None:
    """Even if a route is written as before: what stands above all routes may have changed."""
    before = table("/a")
    assert Table(rules(route("/a", "r0")), before=before).routes[0] is not before.routes[0]


class TestCohorts:
    """Who belongs to one, by what a request says."""

    STAFF: ClassVar = {
        "id": "staff", "side": "modern", "source": "header:X-Group", "values": ["staff", "qa"],
    }  # fmt: skip
    BETA: ClassVar = {
        "id": "beta", "side": "legacy", "source": "cookie:beta", "values": ["1"],
    }  # fmt: skip

    def table(self, *cohorts: Mapping[str, Any], **others: Any) -> Table:
        """Compile one route with these cohorts."""
        return Table(rules(route("/users/{id}"), cohorts=list(cohorts)), **others)

    @pytest.mark.parametrize(
        ("fields", "cohort"),
        [
            ({"x_group": "qa"}, "staff"),
            ({"x_group": "QA"}, None),
            ({"x_group": ""}, None),
            ({}, None),
            ({"cookie": "a=2; beta=1"}, "beta"),
            ({"x_group": "staff", "cookie": "beta=1"}, "staff"),
        ],
    )
    def test_the_first_of_the_file_counts(self, fields: dict[str, str], cohort: str | None) -> None:
        """By the exact value, of any request that carries it."""
        [found] = self.table(self.STAFF, self.BETA).routes
        named = found.cohort(request(**fields), {})
        assert (named and named.id) == cohort

    def test_a_parameter_of_the_path_may_tell(self) -> None:
        """It is read for the cohort, although nobody sticks by it."""
        table = self.table({**self.STAFF, "source": "path:id", "values": ["17"]})
        [found] = table.routes
        parameters = table.parameters(found, "/users/17")
        assert found.cohort(request(), parameters) == found.rules.cohorts[0]
        assert found.cohort(request(), table.parameters(found, "/users/18")) is None

    @pytest.mark.parametrize(
        ("others", "matters"),
        [({}, True), ({"rolled_back": frozenset({"all"})}, False), ({"kill_switch": True}, False)],
    )
    def test_a_route_taken_back_has_none(self, others: dict[str, Any], matters: bool) -> None:
        """Whoever belongs to one goes back with everybody else."""
        [found] = self.table(self.STAFF, **others).routes
        assert found.has_cohorts is matters
        decision = found.decide(b"client_ip=1", None, found.rules.cohorts[0])
        assert (decision.side is Side.MODERN) is matters
