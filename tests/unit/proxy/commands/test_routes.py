from __future__ import annotations

import json

from proxy.admin.console import wording
from tests.support_commands import cutover, filled_client


def test_the_table_shows_both_sides_of_every_route() -> None:
    """Weight configured, in force and observed; errors, latency, differences; then the verdict."""
    result = cutover("routes", client=filled_client())
    lines = {line.split()[0]: line for line in result.out.splitlines() if line}
    assert result.code == 0
    assert lines["ROUTE"].split()[:4] == ["ROUTE", "PHASE", "WEIGHT", "IN"]
    assert lines["plans"].split()[:5] == ["plans", "CANARY", "10%", "10%", "10.4%"]
    assert "48 ms / 19 ms" in lines["plans"]
    assert lines["plans"].endswith("ADVANCE")
    assert lines["version"].startswith("version 18 of routing_rules.yaml; 3 workers connected")


def test_what_was_not_measured_is_a_dash() -> None:
    """A route without traffic has no error rate, not one of 0%."""
    result = cutover("routes", client=filled_client())
    [line] = [each for each in result.out.splitlines() if each.startswith("subscriptions.create")]
    assert f"{wording.NOTHING} / {wording.NOTHING}" in line
    assert "0%" in line


def test_what_needs_attention_goes_to_standard_error() -> None:
    """A rolled back route, the kill switch, a refused file, a broken store, a worker behind."""
    client = filled_client()
    client.answers["/status"] |= {
        "kill_switch": True,
        "rules_problem": "rules.yaml:3:1: no",
        "store_problem": "disk full",
    }
    client.answers["/status"]["workers"][0]["version"] = 3
    result = cutover("routes", client=client)
    for words in (
        "kill switch is on",
        "rules file is refused: rules.yaml:3:1: no",
        "store cannot be written: disk full",
        "rolled back: billing.history",
    ):
        assert words in result.err
    assert "1 of them not yet at this version" in result.out


def test_among_many_hosts_it_says_who_acts() -> None:
    """Where to go for changes, and which hosts want a look."""
    client = filled_client()
    hosts = [
        {"name": "a", "url": "http://a", "acting": True, "connected": True, "last_seen": 0.1,
         "bus": True, "version": 18, "problem": None},
        {"name": "b", "url": "http://b", "acting": False, "connected": True, "last_seen": 0.1,
         "bus": False, "version": 17, "problem": "rules.yaml:1:1: not what is in force"},
        {"name": "c", "url": "http://c", "acting": False, "connected": False, "last_seen": 75.0,
         "bus": True, "version": 16, "problem": None},
    ]  # fmt: skip
    client.answers["/status"] |= {"host": "b", "acting": "a", "token": 3, "hosts": hosts}
    result = cutover("routes", client=client)
    assert "; a acts (http://a); this is b, which measures nothing" in result.out
    assert "b has no Redis" in result.err
    assert "c was last heard of" in result.err
    assert "serving version 16" in result.err
    client.answers["/status"] |= {"host": "a"}
    result = cutover("routes", client=client)
    assert "; a acts\n" in result.out
    assert "b: rules.yaml:1:1: not what is in force" in result.err


def test_one_route_is_shown_in_full() -> None:
    """With why it was rolled back and until when it cools down."""
    result = cutover("routes", "billing.history", client=filled_client())
    assert "25% configured" in result.out
    assert "0% in force" in result.out
    assert "error rate 12.5% of modern is above 5%" in result.out
    assert "not compared: 14 candidate_unreachable" in result.out
    assert "may be resumed from 2026-09-21T14:21:10.000Z on" in result.out


def test_halted_writes_are_shown_with_the_way_out() -> None:
    """As a warning, and in full for the route."""
    client = filled_client()
    route = client.answers["/routes/subscriptions.create"]
    found = cutover("routes", "subscriptions.create", client=client)
    assert "5% of the requests, writes too" in found.out
    halt = {"at": "2026-09-21T14:13:20.000Z", "reason": "no ack", "author": "x", "evidence": {}}
    route["writes_halted"] = halt
    client.answers["/status"]["routes"][5] = route
    found = cutover("routes", "subscriptions.create", client=client)
    assert "5% of the requests, but no writes" in found.out
    assert "not mirrored since 2026-09-21T14:13:20.000Z: no ack" in found.out
    assert "cutover resume-writes subscriptions.create" in found.out
    warned = cutover("routes", client=client).err
    assert "writes are not mirrored any more: subscriptions.create" in warned


def test_scripts_get_what_the_api_says() -> None:
    """Unchanged."""
    client = filled_client()
    assert json.loads(cutover("routes", "--json", client=client).out) == client.answers["/status"]
    found = cutover("routes", "plans", "--json", client=client)
    assert json.loads(found.out) == client.answers["/routes/plans"]


def test_a_route_that_is_not_there_is_exit_1() -> None:
    """And its name travels as one segment of the path."""
    client = filled_client()
    result = cutover("routes", "a/../b", client=client)
    assert result.code == 1
    assert client.asked == [("/routes/a%2F..%2Fb", {})]


def test_no_proxy_is_exit_3() -> None:
    """A script can tell `refused` from `not running`."""
    result = cutover("routes")
    assert (result.code, result.out) == (3, "")
    assert "no admin API answers" in result.err


def test_a_plan_is_shown_with_what_it_waits_for() -> None:
    """Its steps, the one it stands on, what is missing, and what the next one would catch."""
    client = filled_client()
    result = cutover("routes", "subscriptions.list", client=client)
    assert "steps        0% > 10% > [50%] > 90% > 100%" in result.out
    assert "needs 875 more requests on modern, about 7 min" in result.out
    assert "next         at 50% of 20 rps, a jump from 0.5% to 5% errors" in result.out
    hand = {"at": "2026-09-21T14:13:20.000Z", "author": "ada", "reason": "lunch"}
    client.answers["/routes/subscriptions.list"]["progress"] |= {"held": hand, "approved": hand}
    result = cutover("routes", "subscriptions.list", client=client)
    assert "on hold since 2026-09-21T14:13:20.000Z by ada: lunch" in result.out
    assert "approved by ada: lunch" in result.out
