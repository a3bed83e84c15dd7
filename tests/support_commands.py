"""A command line in a bottle: streams, environment, clock and a scripted admin API."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from proxy.__main__ import run
from proxy.admin.plain import (
    decision_plain,
    route_plain,
    signature_plain,
    status_plain,
    version_plain,
)
from proxy.admin.version_diff import version_diff
from proxy.commands.context import AnswerError, Context, Json, UnreachableError
from tests.support_console import FakeController, FakeReport

NOW = 1_790_000_000.0
"""2026-09-21T14:13:20Z."""


@dataclass
class FakeClient:
    """Answers from a table and keeps what was sent."""

    answers: dict[str, Json] = field(default_factory=dict)
    url: str = "http://127.0.0.1:8090"
    sent: list[tuple[str, str, Json, int | None]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    failure: Exception | None = None

    def get(self, path: str, **query: str | int | None) -> Json:
        """Give what the table says."""
        self.asked.append((path, {k: v for k, v in query.items() if v is not None}))
        return self._answer(path)

    def text(self, path: str, **query: str | int | None) -> str:
        """Give what the table says as a text."""
        return str(self.get(path, **query)["text"])

    def send(self, method: str, path: str, body: Json, version: int | None = None) -> Json:
        """Keep what was sent and give what the table says."""
        self.sent.append((method, path, body, version))
        return self._answer(path)

    def _answer(self, path: str) -> Json:
        if self.failure is not None:
            raise self.failure
        if path not in self.answers:
            raise AnswerError({"title": "There is no such thing", "detail": f"no {path}"})
        return self.answers[path]


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str


def no_sleep(_: float) -> None:
    """End a command that would go on for ever."""
    raise KeyboardInterrupt


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def cutover(
    *arguments: str,
    client: FakeClient | None = None,
    environ: dict[str, str] | None = None,
    sleep: Callable[[float], None] = no_sleep,
    out: io.StringIO | None = None,
) -> Result:
    """Run one command; give an `out` to read what a command printed that was interrupted."""
    out, err = out or io.StringIO(), io.StringIO()
    found = client or FakeClient(failure=UnreachableError("no admin API answers"))
    context = Context(
        out=out,
        err=err,
        environ=environ or {},
        user="ada",
        now=lambda: NOW,
        sleep=sleep,
        connect=lambda _: found,
    )
    code = run(arguments, context)
    return Result(code, out.getvalue(), err.getvalue())


def filled_client() -> FakeClient:
    """Give a client whose answers are made from the fakes of the console's tests."""
    controller, report = FakeController(clock=lambda: NOW), FakeReport()
    status = controller.status()
    version, decision = controller.history[0], controller.journal[0]
    client = FakeClient()
    client.answers = {
        "/status": status_plain(status),
        **{f"/routes/{route.id}": route_plain(route) for route in status.routes},
        "/routes/plans/weight": version_plain(version),
        "/routes/plans/rollback": version_plain(version),
        "/routes/plans/resume": version_plain(version),
        "/routes/plans/resume-writes": version_plain(version),
        "/routes/plans/hold": version_plain(version),
        "/routes/plans/advance": version_plain(
            replace(
                version,
                evidence={"step": 3, "of": 5, "weight": 5000, "power": "a jump will be caught"},
            )
        ),
        "/routes/plans/approve": version_plain(replace(version, evidence={"step": 2})),
        "/pin": version_plain(version),
        "/unpin": version_plain(version),
        "/pins": {
            "pins": [
                {"identity": "client_ip=10.0.0.9", "side": "modern", "reason": "qa", "routes": []}
            ]
        },
        "/kill-switch": version_plain(version),
        "/deployed": version_plain(version),
        "/versions": {"versions": [version_plain(version)], "next_before": None},
        "/versions/18": {**version_plain(version), "text": version.text},
        "/versions/18/diff": version_diff(version, replace(version, kill_switch=True)).to_plain(),
        "/versions/18/revert": version_plain(version),
        "/rules": version_plain(version),
        "/decisions": {"decisions": [decision_plain(decision)], "next_before": 1},
        "/decisions/1": {
            **decision_plain(decision),
            "evidence": {"detector": "window", "samples": [{"status": 503}]},
        },
        "/differences": {
            "differences": [signature_plain(each.summary) for each in report.details],
            "next_offset": None,
        },
        "/differences/9f1c2ab4d0e17735": signature_plain(report.details[0]),
        "/differences/9f1c2ab4d0e17735/accept": version_plain(version),
        "/differences/9f1c2ab4d0e17735/fixed": signature_plain(report.details[0]),
        "/differences/9f1c2ab4d0e17735/export": {"text": "<!doctype html>"},
        "/differences/proposals": {
            "proposals": [each.to_plain() for each in report.proposed],
            "next_offset": None,
        },
        f"/differences/proposals/{report.proposed[0].id}/accept": version_plain(version),
        "/differences/rules": {
            "rules": [
                {
                    "route": "plans",
                    "path": "$.at",
                    "reason": "the clock",
                    "owner": "billing",
                    "until": "2026-01-31",
                    "standing": "ended",
                    "hits": 1200,
                    "missed": 3,
                }
            ]
        },
        "/differences/export": {"text": "signature,route"},
        "/coverage": {"coverage": [each.to_plain() for each in report.covered]},
    }
    client.answers = orjson.loads(orjson.dumps(client.answers))  # what HTTP makes of them
    return client
