from __future__ import annotations

from datetime import date

import pytest

from proxy.commands.lint import notes_on
from proxy.routing.schema import load_rules
from tests.unit.proxy.commands.test_check import GOOD


@pytest.mark.parametrize(
    ("ignore", "note"),
    [
        ("{path: $.at, reason: r, until: 2026-02-28}", "for $.at ended on 2026-02-28"),
        ("{path: $.at, reason: r, until: 2026-03-01}", "for $.at ends on 2026-03-01"),
        ("{path: $.at, reason: r, until: 2026-03-15}", "for $.at ends on 2026-03-15"),
        ("{path: $.at, reason: r, until: 2026-03-16}", None),
        ("{path: $.data, reason: r}", "for $.data hides a critical path"),
        ("{path: '$.data[*].price', reason: r}", "for $.data[*].price hides a critical path"),
        ("{path: $.dat, reason: r}", None),
    ],
)
def test_ignore_rules_that_need_a_look_are_noted(ignore: str, note: str | None) -> None:
    """Ended, ending within two weeks, or in the way of what is called critical."""
    text = GOOD.replace("{path: $.at, reason: the clock, until: 2026-01-31}", ignore)
    text = text.replace("compare:", 'compare:\n      critical: ["$.data[*].price"]')
    notes = [n for n in notes_on(load_rules(text, "f")[1], date(2026, 3, 1)) if "ignore" in n]
    assert notes == ([] if note is None else [f"plans: the ignore rule {note}"])


def test_notes_say_what_may_surprise() -> None:
    """An ended ignore rule, a share without comparison, requests that nobody takes."""
    _, rules = load_rules(GOOD, "rules.yaml")
    notes = list(notes_on(rules, date(2026, 2, 1)))
    assert "plans: the ignore rule for $.at ended on 2026-01-31" in notes
    assert "plans: serves 12.5% from modern, and mirrors nothing" in notes
    assert any("answered 404" in note for note in notes)
    assert not any("ended on" in note for note in notes_on(rules, date(2026, 1, 31)))


@pytest.mark.parametrize(
    ("steps", "mirror", "rate", "note"),
    [
        ("{weight: 0%, until: {requests: 10}}", "share: 100%", None, "never advance: modern serv"),
        ("{weight: 0%, until: {error_rate: 1%}}", "share: 100%", None, "never advance: modern "),
        ("{weight: 0%, until: {compared: 10}}", "share: 0%", None, "the route mirrors nothing"),
        ("{weight: 0%, until: {mismatch_rate: 1%}}", "share: 0%", None, "mirrors nothing"),
        ("{weight: 100%, until: {compared: 10}}", "share: 100%", None, "(mirror.towards)"),
        ("{weight: 100%, until: {compared: 10}}", "share: 1%, towards: [modern, legacy]", 1, None),
        (
            "{weight: 0%, until: {compared: 10}}",
            "share: 1%, towards: [legacy]",
            1,
            "(mirror.towards)",
        ),
        ("{weight: 1%, until: {requests: 10}}", "share: 1%", 0, "10 requests, and no traffic"),
        ("{weight: 1%, until: {requests: 20000}}", "share: 1%", 0.5, "46 days at the 0.5"),
        ("{weight: 10%, until: {requests: 10000}}", "share: 1%", 0.1, None),
        ("{weight: 0%, until: {compared: 10000}}", "share: 1%", 0.1, "10,000 comparisons: 116 d"),
        ("{weight: 10%, until: {requests: 20000}}", "share: 1%", 0.5, None),
        ("{weight: 10%, until: {requests: 20000}}", "share: 1%", None, None),
        ("{weight: 10%, hold: 1h}", "share: 0%", 0, "20 requests, and no traffic"),
        ("{weight: 10%, hold: 1h, until: {requests: 0}}", "share: 0%", 0, None),
    ],
)
def test_a_step_that_can_never_advance_is_noted(
    steps: str, mirror: str, rate: float | None, note: str | None
) -> None:
    """By the rules alone, or at the traffic that is seen; two weeks are not too long."""
    text = GOOD.replace("[{weight: 0%}, {weight: 10%}, {weight: 100%}]", f"[{steps}, {steps}]")
    text = text.replace("compare:", f"mirror: {{{mirror}}}\n    compare:")
    rules = load_rules(text, "rules.yaml")[1]
    rates = None if rate is None else {"plans": rate}
    notes = [n for n in notes_on(rules, date(2026, 2, 1), rates) if "step" in n]
    assert len(notes) == (note is not None)  # nothing comes behind the last step
    assert note is None or note in notes[0]
