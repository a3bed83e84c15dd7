"""Who is told: the file that `--alerts` names, read like the rules (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from proxy.control.alerts.message import Severity
from proxy.errors import RulesError
from proxy.routing.document import read_document
from proxy.routing.node import Node, Problems, each

PAGERDUTY_URL: Final = "https://events.pagerduty.com/v2/enqueue"
SECRET_LEAST: Final = 16
"""Characters of a secret that signs."""

# http-URI and https-URI of RFC 9110, 4.2, without credentials or fragment, in ASCII
_URL: Final = re.compile(
    r"https?://(?:[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?][!-\"$-~]*)?"
)


class Shape(StrEnum):
    """How a target wants it."""

    JSON = "json"
    SLACK = "slack"
    PAGERDUTY = "pagerduty"


@dataclass(frozen=True, slots=True)
class Target:
    """One receiver; of a Slack webhook the URL itself is the secret."""

    name: str
    shape: Shape
    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    routing_key: str = field(default="", repr=False)
    least: Severity = Severity.WARNING


@dataclass(frozen=True, slots=True)
class Alerting:
    """All of it; `console` is where people reach the console, or nothing."""

    targets: tuple[Target, ...] = ()
    console: str = ""


def read_alerting(text: str, file: str) -> Alerting:
    """Read the file; raises RulesError with every problem, each with line and column."""
    problems = Problems(file)
    top = Node(read_document(text, problems), problems).mapping(
        ("console", "targets"), required=("targets",)
    )
    alerting = Alerting(
        console=top.read("console", _url, "").rstrip("/"),
        targets=top.read("targets", each(_target), ()),
    )
    names = [target.name for target in alerting.targets]
    for name in sorted({name for name in names if names.count(name) > 1}):
        top.node.problem(f"two targets are called `{name}`", "give each a name of its own")
    if problems.found:
        raise RulesError(tuple(problems.found))
    return alerting


def _target(node: Node) -> Target:
    keys = node.mapping(
        ("name", "shape", "url", "secret", "routing_key", "from"), required=("name", "shape")
    )
    word = keys.read("shape", lambda n: n.one_of(tuple(Shape), Shape.JSON), Shape.JSON)
    shape = Shape(word)
    url = keys.read("url", _url, "")
    routing_key = keys.read("routing_key", lambda n: n.text(), "")
    if shape is Shape.PAGERDUTY:
        url = url or PAGERDUTY_URL
        if "routing_key" not in keys:
            node.problem("`routing_key` is missing", "PagerDuty calls it the integration key")
    elif "url" not in keys:
        node.problem("`url` is missing", "add `url: https://…`")
    secret = keys.read("secret", lambda n: n.text(), "")
    if secret and len(secret) < SECRET_LEAST:  # told of the target, so that it is not shown
        hint = "take the output of: openssl rand -hex 24"
        node.problem(f"`secret` is shorter than {SECRET_LEAST} characters", hint)
    words = tuple(each.name.lower() for each in Severity)
    least = keys.read("from", lambda n: n.one_of(words, "warning"), "warning")
    return Target(
        name=keys.read("name", lambda n: n.name("the name of a target"), ""),
        shape=shape,
        url=url,
        secret=secret,
        routing_key=routing_key,
        least=Severity[least.upper()],
    )


def _url(node: Node) -> str:
    text = node.text()
    if text and not _URL.fullmatch(text):
        node.problem("is not the URL of a receiver", "write https://HOST/PATH")
        return ""
    return text
