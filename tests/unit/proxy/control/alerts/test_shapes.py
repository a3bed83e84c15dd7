from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest

from proxy.control.alerts.message import Alert, alert_of
from proxy.control.alerts.shapes import SECTION_MAX, body_of, headers_of
from proxy.control.alerts.targets import Shape, Target
from tests.unit.proxy.control.alerts.test_message import decision

CONSOLE = "https://cutover.internal:8090"


def alert(action: str = "rollback") -> Alert:
    """Give the alert of a decision."""
    made = alert_of(decision(action))
    assert made is not None
    return made


def shaped(shape: Shape, told: Alert, console: str = CONSOLE) -> dict[str, Any]:
    """Give what a target of this shape receives."""
    target = Target("t", shape, "https://t/", routing_key="R0UT1NG")
    found: dict[str, Any] = json.loads(body_of(told, target, console))
    return found


def test_plain_json_says_it_all() -> None:
    """One object, in words and in numbers."""
    told = shaped(Shape.JSON, alert())
    assert told["event"] == "rollback"
    assert told["severity"] == "critical"
    assert told["title"] == "plans was rolled back to legacy"
    assert told["look"] == {
        "command": "cutover decisions 17",
        "console": f"{CONSOLE}/decisions/17",
    }
    assert told["at"] == "2026-09-21T14:13:20.250Z"
    assert told["details"]["bound"] == 0.05
    assert shaped(Shape.JSON, alert(), "")["look"] == {"command": "cutover decisions 17"}


def test_slack_gets_text_that_commands_nothing() -> None:
    """Markup in a reason is text: nobody is mentioned, no link is forged; and it fits."""
    told = shaped(Shape.SLACK, replace(alert(), why="<!channel> & <http://evil|x>" + "y" * 5000))
    text = told["blocks"][0]["text"]["text"]
    assert "<!channel>" not in text
    assert "&lt;!channel&gt; &amp; &lt;http" in text
    assert text.endswith(f"*Look:* `cutover decisions 17` or <{CONSOLE}/decisions/17|the console>")
    assert len(text) <= SECTION_MAX + 100
    assert "plans was rolled back" in told["text"]


def test_pagerduty_opens_and_closes_one_incident() -> None:
    """By the same key; the summary within what it takes."""
    opened = shaped(Shape.PAGERDUTY, replace(alert(), why="y" * 5000))
    assert opened["event_action"] == "trigger"
    assert opened["dedup_key"] == "cutover/rollback/plans"
    assert opened["routing_key"] == "R0UT1NG"
    assert opened["payload"]["severity"] == "critical"
    assert len(opened["payload"]["summary"]) == 1024
    assert opened["payload"]["custom_details"]["n"] == 96
    assert opened["links"] == [{"href": f"{CONSOLE}/decisions/17", "text": "Console"}]
    assert shaped(Shape.PAGERDUTY, alert("resume")) == {
        "routing_key": "R0UT1NG",
        "event_action": "resolve",
        "dedup_key": "cutover/rollback/plans",
    }


@pytest.mark.parametrize("shape", Shape)
def test_any_text_can_be_sent(shape: Shape) -> None:
    """Half of a surrogate pair, too: it is replaced, not raised."""
    target = Target("t", shape, "https://t/", routing_key="k")
    assert body_of(replace(alert(), why="\ud800 ü \0"), target, "")


def test_the_signature_is_over_time_and_body() -> None:
    """As a receiver makes it anew, who knows the secret; without one nothing is signed."""
    target = Target("t", Shape.JSON, "https://t/", secret="s" * 24)
    headers = headers_of(b"{}", target, "d-1", 1_790_000_000)
    expected = hmac.new(b"s" * 24, b"1790000000.{}", hashlib.sha256).hexdigest()
    assert headers["Cutover-Signature"] == f"t=1790000000,v1={expected}"
    assert headers["Cutover-Delivery"] == "d-1"
    assert "Cutover-Signature" not in headers_of(b"{}", replace(target, secret=""), "d", 1)
