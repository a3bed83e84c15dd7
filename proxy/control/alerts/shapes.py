"""How an alert looks to whoever receives it, and how it is signed (pure).

Slack: https://api.slack.com/messaging/webhooks; PagerDuty: Events API v2.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any, Final

from proxy.control.alerts.message import Alert
from proxy.control.alerts.targets import Shape, Target

SIGNATURE: Final = "Cutover-Signature"
DELIVERY: Final = "Cutover-Delivery"

SUMMARY_MAX: Final = 1024
"""Characters that PagerDuty takes of a summary."""
SECTION_MAX: Final = 2900
"""Of the 3,000 that Slack takes of a section."""

Json = dict[str, Any]


def body_of(alert: Alert, target: Target, console: str) -> bytes:
    """Write an alert for a target; `console` is where people reach the console, or nothing."""
    page = f"{console}{alert.page}" if console else ""
    match target.shape:
        case Shape.JSON:
            plain = _generic(alert, page)
        case Shape.SLACK:
            plain = _slack(alert, page)
        case Shape.PAGERDUTY:
            plain = _pagerduty(alert, page, target.routing_key)
    return json.dumps(plain, ensure_ascii=False).encode("utf-8", "replace")


def headers_of(body: bytes, target: Target, delivery: str, now: int) -> dict[str, str]:
    """Give the header fields; the signature is made anew for each attempt, with its time.

    `delivery` is the same for all attempts, so that a receiver can tell a repetition.
    """
    headers = {"Content-Type": "application/json", "User-Agent": "cutover", DELIVERY: delivery}
    if target.secret:
        headers[SIGNATURE] = f"t={now},v1={signature(body, target.secret, now)}"
    return headers


def signature(body: bytes, secret: str, now: int) -> str:
    """Give HMAC-SHA256 of `TIME.BODY`: with the time, so that an old one is known for old."""
    return hmac.new(secret.encode(), b"%d." % now + body, hashlib.sha256).hexdigest()


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _generic(alert: Alert, page: str) -> Json:
    return {
        "event": alert.event,
        "severity": alert.severity.name.lower(),
        "title": alert.title,
        "why": alert.why,
        "done": alert.done,
        "look": {"command": alert.command, **({"console": page} if page else {})},
        "at": _instant(alert.at),
        "route": alert.route,
        "topic": alert.topic,
        "resolves": alert.resolves,
        "details": dict(alert.details),
    }


_MARKS: Final = {"INFO": "\N{INFORMATION SOURCE}", "WARNING": "\N{WARNING SIGN}"}


def _slack(alert: Alert, page: str) -> Json:
    mark = _MARKS.get(alert.severity.name, "\N{POLICE CARS REVOLVING LIGHT}")
    look = f"`{alert.command}`" + (f" or <{_escaped(page)}|the console>" if page else "")
    lines = [
        f"{mark} *{_escaped(alert.title)}*",
        f"*Why:* {_escaped(alert.why)}",
        f"*Done:* {_escaped(alert.done)}",
    ]
    if "journal" in alert.details:
        look += f", entry `{alert.details['journal']}` of the journal"
    text = "\n".join(lines)[:SECTION_MAX]
    section = {"type": "section", "text": {"type": "mrkdwn", "text": f"{text}\n*Look:* {look}"}}
    return {"text": f"{mark} {_escaped(alert.title)}", "blocks": [section]}


def _escaped(text: str) -> str:
    """Escape what Slack reads as markup, a mention of everybody among it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _pagerduty(alert: Alert, page: str, routing_key: str) -> Json:
    event = {
        "routing_key": routing_key,
        "event_action": "resolve" if alert.resolves else "trigger",
        "dedup_key": f"cutover/{alert.topic}",
    }
    if alert.resolves:
        return event
    return {
        **event,
        "client": "Cutover",
        "payload": {
            "summary": f"{alert.title}: {alert.why}"[:SUMMARY_MAX],
            "source": "cutover",
            "severity": alert.severity.name.lower(),
            "timestamp": _instant(alert.at),
            "component": alert.route or "all routes",
            "class": alert.event,
            "custom_details": {
                "why": alert.why,
                "done": alert.done,
                "look": alert.command,
                **alert.details,
            },
        },
        "links": [{"href": page, "text": "Console"}] if page else [],
    }
