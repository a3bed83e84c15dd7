from __future__ import annotations

from tests.support_commands import cutover, filled_client


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
