from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.admin.version_diff import version_diff
from proxy.control.status import VersionRecord, WriteHalt
from tests.support_control import RULES

BEFORE = VersionRecord(4, 3, 1.0, "ada", "because", RULES, ("plans",), False)
HALT = WriteHalt(1.0, "cutover", "no ack", True, 0)


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("weight: 10%          # see ticket", "weight: 25%", "plans: weight 10% -> 25%"),
        ("mirror: {share: 100%}", "mirror: {share: 50%}", "plans: mirror.share 100% -> 50%"),
        (
            "mirror: {share: 100%}",
            "mirror: {share: 100%, body: 1KiB}",
            "plans: changed mirror.body",
        ),
        ("id: plans", "id: plans\n    on_breach: freeze", "plans: changed on_breach"),
        ("id: subscriptions", "id: abos", "subscriptions: route removed"),
        ("id: subscriptions", "id: abos", "abos: new route at 50%"),
        ("routes:", "salt: spring\nroutes:", "changed at the top level: salt"),
        ("# Who serves what.", "# Nobody knows.", None),
    ],
)
def test_what_a_document_changed_is_said_in_sentences(
    old: str, new: str, change: str | None
) -> None:
    """Weights with both values, everything else by name; a comment changes nothing that matters."""
    diff = version_diff(BEFORE, replace(BEFORE, number=5, text=RULES.replace(old, new)))
    assert change in diff.changes if change else diff.changes == ()
    assert any(line.startswith("+") and new.splitlines()[0] in line for line in diff.lines)


def test_what_stands_beside_the_document_is_told_too() -> None:
    """Rollbacks, halted writes and the kill switch, in both directions."""
    after = replace(
        BEFORE,
        number=5,
        rolled_back=("subscriptions",),
        kill_switch=True,
        write_halts={"plans": HALT},
    )
    assert version_diff(BEFORE, after).changes == (
        "subscriptions: rolled back",
        "plans: no longer rolled back",
        "plans: writes halted",
        "kill switch on",
    )
    assert version_diff(after, BEFORE).changes[-1] == "kill switch off"
    assert version_diff(BEFORE, after).lines == ()


def test_another_order_of_routes_is_told() -> None:
    """The first route that matches wins, so the order has a meaning."""
    head, plans, rest = RULES.partition("  - id: plans")
    moved, last, tail = rest.partition("  - id: everything-else")
    first, subscriptions, second = moved.partition("  - id: subscriptions")
    other = head + subscriptions + second + plans + first + last + tail
    assert version_diff(BEFORE, replace(BEFORE, text=other)).changes == (
        "the order of the routes changed; the first that matches wins",
    )


def test_a_document_that_is_no_longer_read_is_compared_by_its_lines() -> None:
    """The schema may have changed since; the lines are still there."""
    diff = version_diff(replace(BEFORE, text="version: 0\n"), replace(BEFORE, number=5))
    assert "not read by this program" in diff.changes[0]
    assert "-version: 0" in diff.lines
