from __future__ import annotations

import pytest

from proxy.control.alerts.message import Severity
from proxy.control.alerts.targets import PAGERDUTY_URL, Shape, read_alerting
from proxy.errors import RulesError

GOOD = """\
console: https://cutover.internal:8090/
targets:
  - {name: ops, shape: json, url: "https://hooks.internal/cutover?a=b", secret: 0123456789abcdef}
  - {name: chat, shape: slack, url: https://hooks.slack.com/services/T0/B0/x, from: info}
  - {name: pager, shape: pagerduty, routing_key: R0UT1NG, from: critical}
"""


def test_a_file_says_who_is_told_from_when_on() -> None:
    """And does not show its secrets when it is printed."""
    alerting = read_alerting(GOOD, "alerts.yaml")
    ops, chat, pager = alerting.targets
    assert alerting.console == "https://cutover.internal:8090"
    assert (ops.shape, ops.secret, ops.least) == (
        Shape.JSON, "0123456789abcdef", Severity.WARNING,
    )  # fmt: skip
    assert (chat.shape, chat.least) == (Shape.SLACK, Severity.INFO)
    assert (pager.url, pager.routing_key) == (PAGERDUTY_URL, "R0UT1NG")
    shown = repr(alerting)
    assert not any(secret in shown for secret in ("0123456789abcdef", "services", "R0UT1NG"))


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ("shape: json", "shape: jsn", "3:17", "did you mean `json`?"),
        (", secret: 0123456789abcdef", ", secret: short", "3:5", "openssl rand"),
        ("name: chat", "name: ops", "1:1", "two targets are called `ops`"),
        (", routing_key: R0UT1NG", "", "5:5", "`routing_key` is missing"),
        ("url: https://hooks.slack.com/services/T0/B0/x, ", "", "4:5", "`url` is missing"),
        ("https://hooks.slack.com/services/T0/B0/x", "ftp://h/x", "4:32", "not the URL"),
        ("https://hooks.slack.com/services", "https://me:pw@h", "4:32", "not the URL"),
        ("from: critical", "form: critical", "5:59", "did you mean `from`?"),
        ("targets:", "target:", "1:1", "`targets` is missing"),
    ],
)
def test_mistakes_are_told_with_their_place(old: str, new: str, where: str, words: str) -> None:
    """As those of the rules are."""
    with pytest.raises(RulesError) as caught:
        read_alerting(GOOD.replace(old, new), "alerts.yaml")
    assert f"alerts.yaml:{where}" in str(caught.value)
    assert words in str(caught.value)
