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
    return Snapshot(7, *load_rules(TEXT, "rules.yaml"), rolled_back=frozenset({"b"}))


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


def test_the_weight_in_force_is_told(snapshot: Snapshot) -> None:
    """Nothing for what is rolled back, killed, or not there."""
    assert (snapshot.weight("a"), snapshot.weight("b"), snapshot.weight("c")) == (2500, 0, 0)
    assert replace(snapshot, rolled_back=frozenset()).weight("b") == 10_000
    assert replace(snapshot, kill_switch=True).weight("a") == 0


def test_a_broken_document_is_refused(snapshot: Snapshot) -> None:
    """A worker keeps the snapshot it has."""
    payload = snapshot.to_wire()
    payload["document"] = {**payload["document"], "routes": []}
    with pytest.raises(RulesError):
        Snapshot.from_wire(payload)
