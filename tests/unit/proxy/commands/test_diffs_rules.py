from __future__ import annotations

import pytest

from tests.support_commands import Terminal, cutover, filled_client


def test_rules_are_listed_with_what_they_did() -> None:
    """Where each stands, who answers for it, and what came since it ended."""
    client = filled_client()
    result = cutover("diffs", "rules", "--route", "plans", client=client)
    assert client.asked == [("/differences/rules", {"route": "plans"})]
    heading, row = result.out.splitlines()
    assert heading.split() == [
        "STANDING", "ROUTE", "PATH", "UNTIL", "OWNER", "HITS", "MISSED", "REASON"
    ]  # fmt: skip
    assert row.split() == [
        "ended", "plans", "$.at", "2026-01-31", "billing", "1,200", "3", "the", "clock"
    ]  # fmt: skip
    assert result.code == 0


def test_a_script_is_told_that_a_rule_has_ended() -> None:
    """By exit code 1, when it asks for it."""
    assert cutover("diffs", "rules", "--exit-code", client=filled_client()).code == 1
    client = filled_client()
    client.answers["/differences/rules"] = {"rules": []}
    result = cutover("diffs", "rules", "--exit-code", client=client)
    assert (result.code, result.out) == (0, "no ignore rules\n")


@pytest.mark.parametrize("width", ["200", "40"])
def test_an_ended_rule_is_red_on_a_terminal(monkeypatch: pytest.MonkeyPatch, width: str) -> None:
    """However wide it is; one that holds is not, nor is any where no colours are wanted."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.delenv("NO_COLOR", raising=False)
    client, terminal = filled_client(), Terminal()
    rules = client.answers["/differences/rules"]["rules"]
    rules.append({**rules[0], "standing": "in_force", "path": "$.holds"})
    cutover("diffs", "rules", client=client, out=terminal)
    (ended,) = (line for line in terminal.getvalue().splitlines() if "$.at" in line)
    (holds,) = (line for line in terminal.getvalue().splitlines() if "$.holds" in line)
    assert "\x1b[1;31m" in ended
    assert "\x1b[1;31m" not in holds
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    cutover("diffs", "rules", client=client, out=plain)
    assert "31m" not in plain.getvalue()
