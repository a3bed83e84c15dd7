from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from proxy.errors import RulesError
from proxy.routing.schema import load_rules
from proxy.snapshot import Snapshot
from tests.support_routing import HEAD

TEXT = HEAD + (
    "routes:\n- {id: a, match: {path: /a}, weight: 25%}\n"
    "- {id: b, match: {path: /*}, weight: 100%, compare: {ignore: "
    "[{path: $.x, reason: r, until: 2027-03-01}]}}\n"
)


@pytest.fixture
def snapshot() -> Snapshot:
    """Give a snapshot of a file that was read."""
    return Snapshot(
        7,
        *load_rules(TEXT, "rules.yaml"),
        rolled_back=frozenset({"b"}),
        halted_writes=frozenset({"b"}),
        write_epochs={"a": 3},
    )


@pytest.mark.parametrize("kill_switch", [True, False])
def test_a_snapshot_survives_the_wire(snapshot: Snapshot, kill_switch: bool) -> None:
    """A worker decides as the controller says, though it parses the rules anew."""
    sent = replace(snapshot, kill_switch=kill_switch)
    received = Snapshot.from_wire(orjson.loads(orjson.dumps(sent.to_wire())))
    assert (received.version, received.document) == (sent.version, sent.document)
    assert (received.rolled_back, received.kill_switch) == (sent.rolled_back, kill_switch)
    unplaced = tuple(replace(route, line=0) for route in sent.rules.routes)
    assert tuple(replace(route, line=0) for route in received.rules.routes) == unplaced
    assert received.to_wire() == sent.to_wire()


def test_a_document_that_has_not_changed_is_not_parsed_again(snapshot: Snapshot) -> None:
    """Most versions change what is rolled back, and nothing else."""
    plain = replace(snapshot, version=8, rolled_back=frozenset()).to_wire()
    sent = orjson.loads(orjson.dumps(plain))
    received = Snapshot.from_wire(sent, snapshot)
    assert received.rules is snapshot.rules
    assert (received.version, received.rolled_back) == (8, frozenset())
    sent["document"]["routes"][0]["weight"] = "26%"
    assert Snapshot.from_wire(sent, snapshot).weight("a") == 2600


def test_the_weight_in_force_is_told(snapshot: Snapshot) -> None:
    """Nothing for what is rolled back, killed, or not there."""
    assert (snapshot.weight("a"), snapshot.weight("b"), snapshot.weight("c")) == (2500, 0, 0)
    assert replace(snapshot, rolled_back=frozenset()).weight("b") == 10_000
    assert replace(snapshot, kill_switch=True).weight("a") == 0


def test_mirrored_writes_are_told_with_their_epoch(snapshot: Snapshot) -> None:
    """Only of routes that mirror writes; not of those that are halted, or when all is killed."""
    assert snapshot.mirrored_writes() == {}
    text = TEXT.replace("path: /a}", "path: /a}, mirror: {writes: dry_run}").replace(
        "path: /*}", "path: /*}, mirror: {writes: dry_run}"
    )
    writing = replace(snapshot, rules=load_rules(text, "rules.yaml")[1])
    assert writing.mirrored_writes() == {"a": 3}
    assert replace(writing, halted_writes=frozenset()).mirrored_writes() == {"a": 3, "b": 0}
    assert replace(writing, kill_switch=True).mirrored_writes() == {}


def test_a_snapshot_of_an_earlier_version_mirrors_writes_as_before(snapshot: Snapshot) -> None:
    """A controller that knows of no halts tells of none."""
    payload = snapshot.to_wire()
    del payload["halted_writes"], payload["write_epochs"]
    received = Snapshot.from_wire(payload)
    assert (received.halted_writes, received.write_epochs) == (frozenset(), {})


def test_a_broken_document_is_refused(snapshot: Snapshot) -> None:
    """A worker keeps the snapshot it has."""
    payload = snapshot.to_wire()
    payload["document"] = {**payload["document"], "routes": []}
    with pytest.raises(RulesError):
        Snapshot.from_wire(payload)
