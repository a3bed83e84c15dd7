# ruff: noqa: E501 - a row is a mistake and what is said of it: wrapped, it could not be read
from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.errors import RulesError
from proxy.routing.compare_rules import (
    EQUIVALENCES,
    CompareRules,
    EquivalenceRule,
    IgnoreRule,
)
from proxy.routing.rules import (
    GateRules,
    Match,
    MirrorRules,
    Pin,
    RollbackRules,
    RouteRules,
    Rules,
    StepRules,
)
from proxy.routing.schema import load_rules, rules_from_plain
from proxy.routing.side import Side
from proxy.routing.upstream_rules import Timeouts, UpstreamRules
from tests.support_routing import HEAD, ROUTES, plain, route, rules

REPOSITORY = Path(__file__).resolve().parents[4]

EVERYTHING = """\
version: 1
upstreams:
  legacy: {instances: ["http://127.0.0.1:8081", "http://[::1]"], max_connections: 64}
  modern: {instances: ["http://modern-1.internal:80/"], timeouts: {connect: 500ms, response: 10s, idle: 4s}}
defaults:
  sticky_by: [cookie:PHPSESSID, header:X-Customer, "jwt:https", mint]
  plan: standard
  mirror: {share: 50%, towards: [modern, legacy], writes: never}
  rollback: {error_rate: 2%, p95: 800ms, mismatch_rate: 0.5%, window: 30s, min_requests: 10, cooldown: 5m}
  on_breach: freeze
  fallback: false
plans:
  standard:
    - {weight: 0%, shadow: true, until: {compared: 1000, mismatch_rate: 0.5%}}
    - {weight: 12.5%, hold: 15m, until: {requests: 100, error_rate: 1%}}
  empty: []
salt: other
trusted_networks: [10.0.0.0/8, "2001:db8::/32"]
allowed_headers: [X_Legacy.Id]
expose_decision: false
pins:
  - {identity: "header:X-Customer=17", side: legacy, reason: complained, routes: [user]}
  - {identity: client_ip=203.0.113.7, side: modern}
routes:
  - id: user
    match: {method: [GET, PUT], path: "/api/users/{id}"}
    weight: 10%
    sticky_by: [path:id, client_ip]
    plan: empty
    mirror: {share: 100%}
    compare:
      critical: ["$.data[*].price", "$['a b']", $, "$.x[0]"]
      arrays: {$.data: {by: id}}
      equivalences: [number_as_string, zero_date]
      zone: Europe/Berlin
      ignore: [{path: $.at, reason: the clock, owner: billing, until: 2027-03-01}]
    rollback: {p95: 2s}
    on_breach: rollback
    fallback: true
  - {id: all, match: {path: /*}}
"""  # fmt: skip


EVERYTHING_PLAIN = orjson.dumps(load_rules(EVERYTHING, "f")[0])


def test_every_key_is_read() -> None:
    """One document that says everything, defaults and what routes change of them."""
    document, found = load_rules(EVERYTHING, "f.yaml")
    base = RollbackRules(0.02, 0.8, 0.005, 30.0, 10, 300.0)
    sticky_by = ("cookie:PHPSESSID", "header:x-customer", "jwt:https", "mint")
    both = (Side.MODERN, Side.LEGACY)
    user = RouteRules(
        id="user",
        match=Match("/api/users/{id}", ("GET", "PUT")),
        weight=1000,
        sticky_by=("path:id", "client_ip"),
        plan="empty",
        mirror=MirrorRules(1.0, both),
        compare=CompareRules(
            critical=("$.data[*].price", "$['a b']", "$", "$.x[0]"),
            arrays=(("$.data", "id"),),
            ignore=(IgnoreRule("$.at", "the clock", "billing", dt.date(2027, 3, 1)),),
            equivalences=(EquivalenceRule("number_as_string"), EquivalenceRule("zero_date")),
            zone="Europe/Berlin",
        ),
        rollback=replace(base, p95=2.0),
        on_breach="rollback",
        fallback=True,
        line=25,
    )
    everything_else = RouteRules(
        "all", Match("/*"), 0, sticky_by, "standard", MirrorRules(0.5, both), CompareRules(), base,
        "freeze", False, line=40,
    )  # fmt: skip
    assert found == Rules(
        legacy=UpstreamRules(Side.LEGACY, ("http://127.0.0.1:8081", "http://[::1]"), 64),
        modern=UpstreamRules(
            Side.MODERN,
            ("http://modern-1.internal:80",),
            128,
            Timeouts(0.5, 10.0, 4.0, between=10.0),
        ),
        routes=(user, everything_else),
        plans=(
            (
                "standard",
                (
                    StepRules(0, 0.0, True, GateRules(compared=1000, mismatch_rate=0.005)),
                    StepRules(1250, 900.0, False, GateRules(requests=100, error_rate=0.01)),
                ),
            ),
            ("empty", ()),
        ),
        pins=(
            Pin("header:x-customer=17", Side.LEGACY, "complained", ("user",)),
            Pin("client_ip=203.0.113.7", Side.MODERN),
        ),
        salt="other",
        trusted_networks=("10.0.0.0/8", "2001:db8::/32"),
        allowed_headers=("x_legacy.id",),
        expose_decision=False,
    )
    assert document["routes"][0]["compare"]["ignore"][0]["until"] == "2027-03-01"


def without_lines(found: Rules) -> Rules:
    """Give rules as if nobody knew where they are written."""
    return replace(found, routes=tuple(replace(each, line=0) for each in found.routes))


@pytest.mark.parametrize(
    "text", [EVERYTHING, HEAD + ROUTES, (REPOSITORY / "routing_rules.yaml").read_text()]
)
def test_a_document_means_the_same_after_a_journey(text: str) -> None:
    """The plain values cross the bus as JSON and give the same rules, but for line numbers."""
    document, found = load_rules(text, "f.yaml")
    arrived = rules_from_plain(orjson.loads(orjson.dumps(document)))
    assert without_lines(arrived) == without_lines(found)


def test_the_shortest_document_has_the_documented_defaults() -> None:
    """What is left out is harmless: no weight, no mirror, and by address."""
    (only,) = rules().routes
    assert only == RouteRules("all", Match("/*"), line=1)
    assert (only.weight, only.sticky_by, only.mirror.share, only.fallback) == (
        0, ("client_ip",), 0.0, True,
    )  # fmt: skip


R = "routes: [{id: a, match: {path: /*}, "
I = "routes: [{id: a, match: {path: /*}, compare: {ignore: ["  # noqa: E741 - short rows read better


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        # The document
        ("", "5:1", ""),
        ("routes: 5", "5:1", "routes: must be a list"),
        ("routes: []", "5:1", "routes: there are no routes"),
        ("routes: [5]", "5:10", "routes[0]: must be a mapping of keys to values (found: 5)"),
        (ROUTES + "rotues: []", "6:1", "rotues: unknown key (found: rotues)\n    did you mean `routes`?"),
        (ROUTES + "expose_decision: 1", "6:1", "expose_decision: must be true or false (found: 1)"),
        (ROUTES + "salt: ''", "6:1", "salt: must be a text (found: '')"),
        (ROUTES + "salt: 5", "6:1", "salt: must be a text (found: 5)"),
        (ROUTES + "trusted_networks: [10.0.0.1/8]", "6:20", "trusted_networks[0]: is not a network: 10.0.0.1/8 has host bits set"),
        (ROUTES + "trusted_networks: [x]", "6:20", "trusted_networks[0]: is not a network: 'x' does not appear"),
        (ROUTES + "trusted_networks: 10.0.0.0/8", "6:1", "trusted_networks: must be a list"),
        (ROUTES + "allowed_headers: [a b]", "6:19", "allowed_headers[0]: is not the name of a header that can be allowed"),
        (ROUTES + "allowed_headers: [Host]", "6:19", "allowed_headers[0]: is not the name of a header that can be allowed"),
        # Pins
        (ROUTES + "pins: [{side: legacy}]", "6:8", "pins[0]: `identity` is missing"),
        (ROUTES + "pins: [{identity: client_ip=1}]", "6:8", "pins[0]: `side` is missing"),
        (ROUTES + "pins: [{identity: bob, side: legacy}]", "6:9", "pins[0].identity: must be SOURCE=VALUE (found: 'bob')"),
        (ROUTES + "pins: [{identity: user=bob, side: legacy}]", "6:9", "pins[0].identity: must be SOURCE=VALUE"),
        (ROUTES + "pins: [{identity: 'client_ip=', side: legacy}]", "6:9", "pins[0].identity: must be SOURCE=VALUE"),
        (ROUTES + "pins: [{identity: client_ip=1, side: left}]", "6:32", "pins[0].side: must be one of legacy, modern"),
        (ROUTES + "pins: [{identity: client_ip=1, side: legacy, routes: [b]}]", "6:55", "pins[0].routes[0]: there is no such route (found: 'b')"),
        (ROUTES + "pins: [{identity: client_ip=1, side: legacy, routes: [[a]]}]", "6:55", "pins[0].routes[0]: must be a text"),
        # Plans and defaults
        (ROUTES + "plans: []", "6:1", "plans: must be a mapping"),
        (ROUTES + "plans: {p: {weight: 1%}}", "6:9", "plans.p: must be a list"),
        (ROUTES + "plans: {p: [{hold: 1h}]}", "6:13", "plans.p[0]: `weight` is missing"),
        (ROUTES + "plans: {p: [{weight: 101%}]}", "6:14", "plans.p[0].weight: must lie between 0% and 100%"),
        (ROUTES + "plans: {p: [{weight: 1%, hold: 5}]}", "6:26", "plans.p[0].hold: must be a time with its unit"),
        (ROUTES + "plans: {p: [{weight: 1%, shadow: maybe}]}", "6:26", "plans.p[0].shadow: must be true or false"),
        (ROUTES + "plans: {p: [{weight: 1%, until: {request: 5}}]}", "6:34", "plans.p[0].until.request: unknown key (found: request)\n    did you mean `requests`?"),
        (ROUTES + "plans: {p: [{weight: 1%, until: {compared: -1}}]}", "6:34", "plans.p[0].until.compared: must be a whole number"),
        (ROUTES + "defaults: {weight: 5%}", "6:12", "defaults.weight: unknown key (found: weight)"),
        (ROUTES + "defaults: {plan: nope}", "6:12", "defaults.plan: there is no such plan (found: 'nope')\n    plans defined: none"),
        # Routes
        ("routes: [{match: {path: /*}}]", "5:10", "routes[0]: `id` is missing"),
        ("routes: [{id: a}]", "5:10", "routes[0]: `match` is missing"),
        ("routes: [{id: a b, match: {path: /*}}]", "5:11", "routes[0].id: a route id is made of letters"),
        ("routes: [{id: a, match: {method: [GET]}}]", "5:18", "routes[0].match: `path` is missing"),
        ("routes: [{id: a, match: {path: api}}]", "5:26", "routes[0].match.path: a path begins with `/` (found: 'api')"),
        ("routes: [{id: a, match: {path: 5}}]", "5:26", "routes[0].match.path: must be a text (found: 5)"),
        ("routes: [{id: a, match: {method: GET, path: /*}}]", "5:26", "routes[0].match.method: must be a list"),
        ("routes: [{id: a, match: {method: [get], path: /*}}]", "5:35", "routes[0].match.method[0]: must be one of GET"),
        ("routes: [{id: a, match: {method: [TRACE], path: /*}}]", "5:35", "routes[0].match.method[0]: must be one of GET"),
        (R + "weight: 10}]", "5:37", "routes[0].weight: must be a share with its unit, such as 10% or 0.5% (found: 10)\n    write `10%`"),
        (R + "wieght: 10%}]", "5:37", "routes[0].wieght: unknown key (found: wieght)\n    did you mean `weight`?"),
        (R + "weight: 101%}]", "5:37", "routes[0].weight: must lie between 0% and 100%"),
        (R + "plan: [x]}]", "5:37", "routes[0].plan: must be a text"),
        (R + "plan: standard}]\nplans: {standrad: []}", "5:37", "routes[0].plan: there is no such plan (found: 'standard')\n    plans defined: standrad"),
        (R + "on_breach: panic}]", "5:37", "routes[0].on_breach: must be one of rollback, freeze"),
        (R + "fallback: ~}]", "5:37", "routes[0].fallback: must be true or false"),
        (R + "sticky_by: client_ip}]", "5:37", "routes[0].sticky_by: must be a list"),
        (R + "sticky_by: []}]", "5:37", "routes[0].sticky_by: names no source of identity"),
        (R + "sticky_by: [ip]}]", "5:49", "routes[0].sticky_by[0]: is not a source of identity (found: 'ip')\n    use jwt:CLAIM"),
        (R + "sticky_by: ['cookie:']}]", "5:49", "routes[0].sticky_by[0]: is not a source of identity"),
        (R + "sticky_by: ['cookie:a b']}]", "5:49", "routes[0].sticky_by[0]: is not a source of identity"),
        (R + "sticky_by: [5]}]", "5:49", "routes[0].sticky_by[0]: must be a text"),
        (R + "sticky_by: [mint, client_ip]}]", "5:37", "routes[0].sticky_by: `mint` always succeeds, so it stands last"),
        (R + "sticky_by: [client_ip, mint]}]", "5:37", "routes[0].sticky_by: `client_ip` always succeeds, so it stands last"),
        (R + "sticky_by: [path:id]}]", "5:37", "routes[0].sticky_by: `/*` has no parameter {id}"),
        (R + "mirror: {share: 1}}]", "5:46", "routes[0].mirror.share: must be a share with its unit"),
        (R + "mirror: {writes: yes}}]", "5:46", "routes[0].mirror.writes: must be one of never, dry_run"),
        (R + "mirror: {writes: dry_run, towards: [legacy]}}]", "5:46", "routes[0].mirror.writes: writes are never mirrored towards legacy: PHP would carry them out (found: 'dry_run')\n    add `modern` to `towards`"),
        (R + "mirror: {body: 5MiB}}]", "5:46", "routes[0].mirror.body: must lie between 0 and 4194304 bytes"),
        (R + "mirror: {towards: [left]}}]", "5:56", "routes[0].mirror.towards[0]: must be one of modern, legacy"),
        (R + "rollback: {p95: 0ms}}]", "5:48", "routes[0].rollback.p95: must lie between 0.001s and 366d"),
        (R + "rollback: {window: 10ms}}]", "5:48", "routes[0].rollback.window: must lie between 1s and 366d"),
        (R + "rollback: {min_requests: 0}}]", "5:48", "routes[0].rollback.min_requests: must be a whole number from 1"),
        (R + "rollback: {errors: 5%}}]", "5:48", "routes[0].rollback.errors: unknown key (found: errors)\n    did you mean `error_rate`?"),
        (R + "compare: {critical: [price]}}]", "5:58", "routes[0].compare.critical[0]: is not a path (found: 'price')"),
        (R + "compare: {arrays: {data: {by: id}}}}]", "5:56", "routes[0].compare.arrays.data: `data` is not a path"),
        (R + "compare: {arrays: {$.data: id}}}]", "5:56", "routes[0].compare.arrays.$.data: must be a mapping"),
        (R + "compare: {arrays: {$.data: {}}}}]", "5:56", "routes[0].compare.arrays.$.data: `by` is missing"),
        (R + "compare: {equivalences: [nearly]}}]", "5:62", "routes[0].compare.equivalences[0]: must be one of number_as_string"),
        (R + "compare: {zone: '../etc/passwd'}}]", "5:47", "routes[0].compare.zone: is not the name of a time zone"),
        (I + "{reason: x}]}}]", "5:56", "routes[0].compare.ignore[0]: `path` is missing"),
        (I + "{path: $.a}]}}]", "5:56", "routes[0].compare.ignore[0]: `reason` is missing"),
        (I + "{path: $.a, reason: x, until: soon}]}}]", "5:79", "routes[0].compare.ignore[0].until: must be a date such as 2027-03-01"),
        # Routes among each other
        ("routes: [{id: a, match: {path: /a}}, {id: a, match: {path: /*}}]", "5:38", "routes[1]: route `a` is already defined at line 5"),
        (ROUTES[:-2] + ", {id: b, match: {path: /a}}]", "5:40", "routes[1]: route `b` can never match: `all` at line 5 takes everything it would\n    move it above `all`"),
    ],
)  # fmt: skip
def test_each_mistake_is_said_where_it_stands(text: str, where: str, message: str) -> None:
    """File, line, column, what is wrong, what was found, and how to mend it; once."""
    if not message:  # the head alone
        message, where = "`routes` is missing", "1:1"
    with pytest.raises(RulesError) as refused:
        load_rules(HEAD + text, "rules.yaml")
    (problem,) = refused.value.problems
    assert str(problem).startswith(f"rules.yaml:{where}: {message}")
    assert str(refused.value) == str(problem)


@pytest.mark.parametrize(
    ("upstreams", "message"),
    [
        ("5", "upstreams: must be a mapping"),
        ("{modern: {instances: ['http://a']}}", "upstreams: `legacy` is missing"),
        ("{legacy: {}}", "upstreams: `modern` is missing"),
        ("{legacy: {instances: []}}", "upstreams.legacy: `instances` names no address"),
        ("{legacy: {instances: ['http://a'], max_connections: 0}}", "max_connections: must be a whole number"),
        ("{legacy: {instances: ['http://a'], timeouts: {connect: 0s}}}", "timeouts.connect: must lie between 0.01s"),
        ("{legacy: {instances: ['http://a'], timeouts: {idle: 5}}}", "timeouts.idle: must be a time with its unit"),
        ("{legacy: {instances: ['http://a'], timeout: {}}}", "did you mean `timeouts`?"),
        ("{legacy: {instances: ['http://a', 'http://b', 'http://a']}}", "instances[2]: this instance is named twice"),
        ("{legacy: {instances: ['http://a'], max_waiting: -1}}", "max_waiting: must be a whole number from 0"),
        ("{legacy: {instances: ['http://a'], timeouts: {tunnel: 0s}}}", "timeouts.tunnel: must lie between 1s"),
        ("{legacy: {instances: ['http://a'], tls: {}}}", "tls: no instance of this side is reached over TLS"),
        ("{legacy: {instances: ['https://a'], tls: {key: k}}}", "tls: `key` is given without `cert`"),
        ("{legacy: {instances: ['https://a'], tls: {server_name: 'a:1'}}}", "server_name: is not the name of a host"),
        ("{legacy: {instances: ['https://a'], tls: {verify: no}}}", "tls.verify: must be true or false"),
        ("{legacy: {instances: ['http://a'], failure_statuses: [200]}}", "failure_statuses[0]: must be a whole number from 400"),
        ("{legacy: {instances: ['http://a'], failure_statuses: 503}}", "failure_statuses: must be a list"),
        ("{legacy: {instances: ['http://a'], ejection: {failures: 0}}}", "ejection.failures: must be a whole number from 1"),
        ("{legacy: {instances: ['http://a'], ejection: {duration: 9m, max_duration: 5m}}}", "`max_duration` is shorter"),
        ("{legacy: {instances: ['http://a'], ejection: {max_ejected: 50}}}", "write `50%`"),
        ("{legacy: {instances: ['http://a'], probe: {}}}", "probe: `path` is missing"),
        ("{legacy: {instances: ['http://a'], probe: {path: health}}}", "probe.path: is not a path"),
        ("{legacy: {instances: ['http://a'], probe: {path: /a b}}}", "probe.path: is not a path"),
        ('{legacy: {instances: ["http://a"], probe: {path: "/\\r\\nX: 1"}}}', "probe.path: is not a path"),
        ("{legacy: {instances: ['http://a'], probe: {path: '/#a'}}}", "probe.path: is not a path"),
        ("{legacy: {instances: ['http://a'], probe: {path: /é}}}", "probe.path: is not a path"),
        ("{legacy: {instances: ['http://a'], probe: {path: /, host: 'a/b'}}}", "probe.host: is not a host"),
        ("{legacy: {instances: ['http://a'], probe: {path: /, interval: 1ms}}}", "probe.interval: must lie between 0.1s"),
        ("{legacy: {instances: ['http://a'], probe: {path: /, statuses: [100]}}}", "statuses[0]: must be a whole number from 200"),
        ("{legacy: {instances: ['http://a'], breaker: {trials: 0}}}", "breaker.trials: must be a whole number from 1"),
        ("{legacy: {instances: ['http://a'], breaker: {failures: 101%}}}", "breaker.failures: must lie between 0% and 100%"),
        ("{legacy: {instances: ['http://a'], retry_budget: {share: 0.2}}}", "retry_budget.share: must be a share"),
        ("{legacy: {instances: ['http://a'], retry_budget: {min: 3}}}", "retry_budget.min: unknown key"),
        ("{legasy: {instances: ['http://a']}}", "did you mean `legacy`?"),
    ],
)  # fmt: skip
def test_upstreams_are_checked(upstreams: str, message: str) -> None:
    """Both sides, each with an address."""
    with pytest.raises(RulesError) as refused:
        load_rules(f"version: 1\nupstreams: {upstreams}\n{ROUTES}", "f")
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "a:80", "//a:80", "http://", "https://", "https://a/b", "wss://a", "HTTPS://a", "http://:80", "http://a:0", "http://a:65536",
        "http://a:x", "http://a/b", "http://a?", "http://a?b", "http://a#b", "http://u@a",
        "http://:p@a", "http://u:p@a", "http://a b", "http://a,b", "http://é", "http://[::1",
        "http://[x]", "http://a..b", "http://-a", "http://" + "a" * 64, "http://a\r\nb", "http://a;b",
        "http://a\t", "unix:/run/a.sock", "", "ftp://a",
    ],
)  # fmt: skip
def test_what_is_no_address_of_an_instance_is_refused(address: str) -> None:
    """Host and port, and nothing that would be silently left out or fail at the first request."""
    with pytest.raises(RulesError) as refused:
        rules(upstreams={"legacy": {"instances": [address]}, "modern": {"instances": ["http://m"]}})
    assert len(refused.value.problems) == 1 or address == ""


@pytest.mark.parametrize("version", [None, 0, 2, "1", 1.0, True, [1]])
def test_only_version_1_is_read(version: Any) -> None:
    """A document of another version may mean something else."""
    with pytest.raises(RulesError, match="this program reads version 1 of the schema"):
        rules(version=version)


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    """An operator mends a file in one go."""
    text = HEAD + "salt: 5\nroutes:\n- {id: a, match: {path: a}, weight: 1}\n- {id: a, match: {}}\n"
    with pytest.raises(RulesError) as refused:
        load_rules(text + "plans: {p: 1, p: 2}\n", "f")
    places = [(each.where.line, each.where.column) for each in refused.value.problems]
    assert places == sorted(places)
    assert {line for line, _ in places} == {5, 7, 8, 9}


def test_one_mistake_does_not_accuse_what_follows() -> None:
    """A route whose path cannot be read hides nobody, and two nameless routes are no twins."""
    text = HEAD + "routes:\n- {id: '', match: {path: x}}\n- {id: '', match: {path: /a}}\n"
    with pytest.raises(RulesError) as refused:
        load_rules(text, "f")
    assert {each.where.line for each in refused.value.problems} == {6, 7}
    assert not any("never match" in each.message for each in refused.value.problems)
    assert not any("already" in each.message for each in refused.value.problems)


@pytest.mark.parametrize(
    ("first", "second", "hidden"),
    [
        (route("/*"), route("/a"), True),
        (route("/a"), route("/*"), False),
        (route("/*", method=["GET"]), route("/a"), False),
        (route("/*", method=["GET"]), route("/a", method=["GET"]), True),
        (route("/a", method=["GET"]), route("/a", method=["HEAD"]), True),
        (route("/a", method=["HEAD"]), route("/a", method=["GET"]), False),
        (route("/a", method=["GET", "POST"]), route("/a", method=["POST"]), True),
        (route("/a", method=["GET"]), route("/a", method=["GET", "POST"]), False),
        (route("/{x}"), route("/a"), True),
        (route("/a"), route("/{x}"), False),
    ],
)
def test_a_route_that_can_never_match_is_refused(
    first: dict[str, Any], second: dict[str, Any], hidden: bool
) -> None:
    """It would look as if it did something."""
    try:
        rules({**first, "id": "one"}, {**second, "id": "two"})
    except RulesError as error:
        assert hidden
        assert "route `two` can never match: `one`" in str(error)  # noqa: PT017 - either way counts
    else:
        assert not hidden


def test_the_first_of_several_routes_in_the_way_is_named() -> None:
    """Moving above that one is what helps."""
    text = HEAD + (
        "routes:\n- {id: a, match: {path: '/{x}'}}\n- {id: b, match: {path: /y, method: [POST]}}\n"
        "- {id: c, match: {path: /y}}\n"
    )
    with pytest.raises(RulesError) as refused:
        load_rules(text, "f")
    assert ["`a` at line 6" in each.message for each in refused.value.problems] == [True, True]


def test_ten_thousand_routes_are_read() -> None:
    """No work grows with the pairs of routes: fifty million of them would not end in time."""
    many = plain(*(route(f"/api/x{i}/{{id}}", f"r{i}", weight="1%") for i in range(10_000)))
    assert len(rules_from_plain(many).routes) == 10_000


# Whatever stands in a document


_KEYS = st.sampled_from(
    ["version", "upstreams", "legacy", "modern", "instances", "routes", "id", "match", "path",
     "method", "plan", "plans", "pins", "identity", "side", "compare", "ignore", "until", "arrays",
     "critical", "sticky_by", "tolerances", "correspond", "noise", "repeat", "units", "time", "mirror", "towards", "writes", "rollback", "defaults", "weight",
     "equivalences", "zone", "salt", "hold", "trusted_networks", "allowed_headers", "x"]
)  # fmt: skip
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2**70),
    st.floats(),
    st.sampled_from(["10%", "5s", "/a", "/*", "client_ip", "mint", "path:id", "all", "p", "modern",
                     "GET", "http://a", "10.0.0.0/8", "2027-03-01", "$.a", *EQUIVALENCES[:2]]),
    st.text(max_size=6),
)  # fmt: skip
_JUNK = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=300)
@given(_JUNK, st.lists(_KEYS | st.integers(0, 1), min_size=1, max_size=4))
def test_any_values_are_rules_or_refused(junk: Any, path: list[str | int]) -> None:
    """Nothing but RulesError comes out, wherever in a valid document the junk stands."""
    document = orjson.loads(EVERYTHING_PLAIN)
    place = document
    for step in path[:-1]:
        inside = range(len(place)) if isinstance(place, list) else place
        if isinstance(inside, range | dict) and step in inside:
            place = place[step]
    if isinstance(place, dict):
        place[path[-1]] = junk
    elif isinstance(place, list):
        place.append(junk)
    try:
        rules_from_plain(document)
    except RulesError as error:
        assert error.problems  # noqa: PT017 - either way counts


@pytest.mark.parametrize("junk", [None, 5, "x", [], {}, [[]], True])
def test_a_document_that_is_none_is_refused(junk: Any) -> None:
    """A file may hold anything."""
    with pytest.raises(RulesError):
        rules_from_plain(junk)
