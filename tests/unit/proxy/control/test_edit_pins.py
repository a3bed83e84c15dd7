from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.control.edit_pins import with_pin, without_pin
from proxy.control.loaded import LoadedRules
from proxy.errors import NotFoundError, RefusedError
from proxy.routing.rules import Pin
from proxy.routing.schema import load_rules
from proxy.routing.side import Side

HEAD = """\
version: 1
upstreams: {legacy: {instances: ["http://a:1"]}, modern: {instances: ["http://a:2"]}}
routes:
- {id: a, match: {path: /a}}  # the only one
"""
PIN = Pin("client_ip=10.0.0.9", Side.MODERN, "the tester", ("a",))
FLOW = '{identity: "client_ip=10.0.0.9", side: modern, reason: "the tester", routes: [a]}'
ONE = '{identity: "client_ip=10.0.0.1", side: legacy}'
TWO = '{identity: "client_ip=10.0.0.2", side: legacy}'


def loaded(text: str) -> LoadedRules:
    """Parse rules."""
    return LoadedRules(text, *load_rules(text, "rules"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"\npins:\n  - {FLOW}\n"),
        ("pins: []\n", f"pins: [{FLOW}]\n"),
        (f"pins: [{ONE}]  # c\n", f"pins: [{ONE}, {FLOW}]  # c\n"),
        (f"pins:\n  - {ONE}  # why\n# end\n", f"pins:\n  - {ONE}  # why\n  - {FLOW}\n# end\n"),
        (
            "pins:\n- identity: client_ip=10.0.0.1\n  side: legacy\nsalt: x\n",
            f"pins:\n- identity: client_ip=10.0.0.1\n  side: legacy\n- {FLOW}\nsalt: x\n",
        ),
    ],
)
def test_a_pin_is_added(before: str, after: str) -> None:
    """Behind the others, in their style; comments and everything else stay."""
    found = with_pin(loaded(HEAD + before), PIN, "rules")
    assert found.text == HEAD + after
    assert found.rules.pins[-1] == PIN


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"pins: [{ONE}]  # c\n", "pins: []  # c\n"),
        (f"pins: [{ONE}, {TWO}]\n", f"pins: [{TWO}]\n"),
        (f"pins: [{TWO}, {ONE}]\n", f"pins: [{TWO}]\n"),
        (f"pins:\n  - {ONE}\nsalt: x\n", "pins:[]\nsalt: x\n"),
        (f"pins:\n  - {ONE}  # gone\n  - {TWO}  # stays\n", f"pins:\n  - {TWO}  # stays\n"),
        (f"pins:\n  - {TWO}\n  - {ONE}\nsalt: x\n", f"pins:\n  - {TWO}\nsalt: x\n"),
        (f"pins:\n  - {ONE}\n  - {TWO}\n  - {ONE}\n", f"pins:\n  - {TWO}\n"),
        (
            f"pins:\n  - identity: client_ip=10.0.0.1\n    side: legacy\n  - {TWO}\n",
            f"pins:\n  - {TWO}\n",
        ),
    ],
)
def test_pins_are_taken_out(before: str, after: str) -> None:
    """All of one identity, wherever they stand; the others stay."""
    found = without_pin(loaded(HEAD + before), "client_ip=10.0.0.1", "rules")
    assert found.text.replace("pins:\n  []", "pins:[]") == HEAD + after
    assert "client_ip=10.0.0.1" not in {pin.identity for pin in found.rules.pins}


def test_nobody_is_unpinned_who_is_not_pinned() -> None:
    """There is no such pin."""
    with pytest.raises(NotFoundError):
        without_pin(loaded(HEAD), "client_ip=10.0.0.1", "rules")


def test_what_is_shared_is_not_touched() -> None:
    """A list that another key repeats by an alias would change in two places."""
    text = HEAD + f"pins: &p [{ONE}]\n"
    assert with_pin(loaded(text), PIN, "rules").rules.pins[-1] == PIN
    shared = HEAD.replace("/a}", "/a}, compare: {redact: &r [$.a]}") + "pins: *r\n"
    with pytest.raises((RefusedError, AssertionError, Exception)):
        with_pin(loaded(shared), PIN, "rules")


IDENTITIES = st.lists(st.integers(1, 9).map(lambda n: f"client_ip=10.0.0.{n}"), max_size=8)


@given(IDENTITIES, st.booleans())
def test_what_was_pinned_can_be_unpinned(identities: list[str], flow: bool) -> None:
    """Pins come and go in any order, and nothing else of the rules changes."""
    rules = loaded(HEAD + ("pins: []\n" if flow else ""))
    held: dict[str, Pin] = {}
    for identity in identities:
        if identity in held:
            del held[identity]
            rules = without_pin(rules, identity, "rules")
        else:
            held[identity] = pin = Pin(identity, Side.LEGACY, "ü: {why}")
            rules = with_pin(rules, pin, "rules")
        assert rules.rules.pins == tuple(held.values())
        assert rules.rules.routes[0].id == "a"
