from __future__ import annotations

import json

from tests.support_commands import cutover, filled_client


def test_versions_say_who_and_why() -> None:
    """And what stood rolled back then."""
    result = cutover("history", client=filled_client())
    assert result.code == 0
    assert "18  2026-09-21T14:13:20.000Z  file    routing_rules.yaml changed" in result.out
    assert "rolled back: billing.history" in result.out


def test_one_version_is_shown_with_its_document() -> None:
    """The rules as they were, comments kept."""
    result = cutover("history", "18", client=filled_client())
    assert "version 18 (after 17), 2026-09-21T14:13:20.000Z, file:" in result.out
    assert "\n# Both applications listen on loopback only.\n" in result.out


def test_decisions_are_listed_and_lead_to_older_ones() -> None:
    """The next page is one option away."""
    client = filled_client()
    result = cutover("decisions", "--route", "plans", "--before", "9", client=client)
    assert client.asked == [("/decisions", {"limit": "20", "before": "9", "route": "plans"})]
    assert "load" in result.out
    assert "older ones: --before 1" in result.out


def test_one_decision_is_shown_with_its_evidence() -> None:
    """Value, bound, sample: all that was kept."""
    result = cutover("decisions", "1", client=filled_client())
    assert "decision 1: load" in result.out
    assert "detector window" in result.out
    assert '"status": 503' in result.out


def test_scripts_get_json() -> None:
    """Lists and single records alike."""
    client = filled_client()
    for arguments, path in (
        (("history",), "/versions"),
        (("history", "18"), "/versions/18"),
        (("decisions",), "/decisions"),
        (("decisions", "1"), "/decisions/1"),
    ):
        assert json.loads(cutover(*arguments, "--json", client=client).out) == client.answers[path]
