from __future__ import annotations

import pytest

from proxy.errors import RulesError
from proxy.routing.calendar_rules import Freeze, Hours
from proxy.routing.rules import GateRules, Rules, StepRules
from proxy.routing.schema import load_rules

HEAD = """\
version: 1
upstreams: {legacy: {instances: ["http://a:1"]}, modern: {instances: ["http://a:2"]}}
routes: [{id: a, match: {path: /a}}]
"""


def rules(text: str) -> Rules:
    """Read rules with this added."""
    return load_rules(HEAD + text, "rules")[1]


def test_a_plan_with_everything() -> None:
    """Steps say weight, how long, what is waited for, and whether a person must agree."""
    found = rules(
        "plans:\n  p:\n"
        "    - {weight: 0%, shadow: true, until: {compared: 9, mismatch_rate: 0.5%}}\n"
        "    - {weight: 10%, hold: 15m, until: {requests: 5, error_rate: 1%}, approval: true}\n"
    )
    assert dict(found.plans)["p"] == (
        StepRules(0, shadow=True, until=GateRules(compared=9, mismatch_rate=0.005)),
        StepRules(1000, 900.0, until=GateRules(requests=5, error_rate=0.01), approval=True),
    )


def test_a_calendar() -> None:
    """Hours are of the week, freezes are moments, both by the clocks of the zone."""
    found = rules(
        "calendar:\n  zone: Europe/Berlin\n"
        '  hours: [{days: [thu, mon], from: "09:00", to: "16:30"}, {from: "22:00", to: "24:00"}]\n'
        "  freeze: [{from: 2026-12-24T12:00, to: 2026-12-26, reason: holidays}]\n"
    ).calendar
    assert found.zone == "Europe/Berlin"
    assert found.hours == (Hours((0, 3), 540, 990), Hours((0, 1, 2, 3, 4, 5, 6), 1320, 1440))
    assert found.freezes == (Freeze(1_798_110_000.0, 1_798_326_000.0, "holidays"),)
    assert str(found.hours[0]) == "mon, thu 09:00-16:30"


def test_no_calendar_never_closes() -> None:
    """Without one, steps are taken at any time."""
    assert rules("").calendar.hours == ()
    assert rules("defaults: {rollback: {auto_resume: 2}}\n").routes[0].rollback.auto_resume == 2
    assert rules("").routes[0].rollback.auto_resume == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "plans: {p: [{weight: 0%, until: {error_rate: 0%}}]}",
            "no number of events proves",
        ),
        ("plans: {p: [{weight: 0%, approval: yes}]}", "must be true or false"),
        ("plans: {p: [{hold: 1m}]}", "`weight` is missing"),
        ("plans: {p: [{weight: 0%, untl: {}}]}", "did you mean `until`"),
        ("calendar: {hours: []}", "`zone` is missing"),
        ("calendar: {zone: Mars/Olympus}", "is not the name of a time zone known here"),
        ("calendar: {zone: ../../etc/passwd}", "is not the name of a time zone known here"),
        ("calendar: {zone: UTC, hours: [{days: []}]}", "names no day"),
        ("calendar: {zone: UTC, hours: [{days: [monday]}]}", "did you mean `mon`"),
        ("calendar: {zone: UTC, hours: [{from: 9}]}", "must be a text"),
        ("calendar: {zone: UTC, hours: [{from: nine}]}", 'write "09:00"'),
        ('calendar: {zone: UTC, hours: [{from: "24:01"}]}', 'write "09:00"'),
        ("calendar: {zone: UTC, freeze: [{from: 2026-12-24}]}", "`to` is missing"),
        ("calendar: {zone: UTC, freeze: [{from: tomorrow, to: 2026-12-24}]}", "must be a day"),
        ("calendar: {zone: UTC, freeze: [{from: 2026-12-24, to: 2026-12-20}]}", "ends before"),
        ("calendar: {zone: UTC, freeze: [{from: 2026-12-24T10:00Z, to: 2026-12-25}]}", "the zone"),
        ("defaults: {rollback: {auto_resume: -1}}", "from 0 to 100"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    """Each is told with its place and how to mend it."""
    with pytest.raises(RulesError, match=message) as caught:
        rules(text + "\n")
    assert "rules:4:" in str(caught.value)
