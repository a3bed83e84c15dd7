"""What needs attention first: a level and a sentence per route, and one for everything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from proxy.admin.console import wording
from proxy.control.status import RouteStatus, Status, WorkerStatus

LAG_AFTER = 2.0
"""Seconds of silence after which a data plane worker counts as not heard of."""

NOTICEABLE = 0.01
"""An error rate of modern worth a look when it is also twice that of legacy."""


class Level(IntEnum):
    """How much something needs a person; the order of the overview."""

    ACT = 0  # traffic was taken back, a breach is open, or modern may have written something
    LOOK = 1  # nothing is broken, but somebody should read this
    FINE = 2
    IDLE = 3  # nothing to judge: no traffic on either side


@dataclass(frozen=True, slots=True)
class Attention:
    """A level and the sentence that justifies it."""

    level: Level
    text: str

    @property
    def tone(self) -> str:
        """Name of the level for the style sheet."""
        return self.level.name.lower()


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that concerns the whole installation, with what to do about it."""

    tone: str
    title: str
    text: str
    detail: str = ""
    link: str = ""
    link_text: str = ""


def level_of(route: RouteStatus) -> Level:
    """Judge one route from its status alone: quick, as there may be thousands."""
    if route.rolled_back is not None or route.verdict == "ROLLBACK" or route.writes_halted:
        return Level.ACT
    if route.coverage.mismatch or _fails_more(route):
        return Level.LOOK
    has_requests = route.legacy.requests or route.modern.requests
    return Level.FINE if has_requests else Level.IDLE


def of_route(route: RouteStatus, now: float) -> Attention:
    """Judge one route, and say why."""
    return Attention(level_of(route), _why(route, now))


def _why(route: RouteStatus, now: float) -> str:
    if route.rolled_back is not None:
        when = wording.ago(route.rolled_back.at, now)
        return f"Rolled back {when}: {route.rolled_back.reason}"
    if route.verdict == "ROLLBACK":
        return f"Breach: {route.verdict_reason}"
    if route.writes_halted is not None:
        when = wording.ago(route.writes_halted.at, now)
        return f"Writes are mirrored no more, halted {when}: {route.writes_halted.reason}"
    if route.coverage.mismatch:
        differ = wording.plural(route.coverage.mismatch, "answer")
        compared = wording.count(route.coverage.compared)
        verb = "differs" if route.coverage.mismatch == 1 else "differ"
        return f"{differ} of {compared} compared {verb}"
    if _fails_more(route):
        modern, legacy = route.modern, route.legacy
        of = wording.plural(modern.requests, "request")
        failed = f"{wording.percent(modern.error_rate)} of {of}"
        against = wording.percent(legacy.error_rate)
        return f"Modern fails {failed}, legacy {against}: {route.verdict_reason}"
    if not route.legacy.requests and not route.modern.requests:
        return f"No requests in the last {wording.duration(route.window)}"
    return _capital(route.verdict_reason)


def by_attention(routes: Iterable[RouteStatus]) -> list[tuple[RouteStatus, Level]]:
    """Judge routes and put those that need a person first, else in the order of the file."""
    judged = [(route, level_of(route)) for route in routes]
    return sorted(judged, key=lambda pair: pair[1])


def headline(status: Status) -> Attention:
    """Answer the first question, whether everything is fine."""
    if status.kill_switch:
        return Attention(Level.ACT, "The kill switch is on: legacy answers everything.")
    if (hosts := status.hosts) is not None and hosts.acting != hosts.own:
        if hosts.acting is None:
            return Attention(Level.ACT, "No host acts: nothing is judged, nothing can be changed.")
        return Attention(Level.IDLE, f"{hosts.own} stands by; {hosts.acting} acts.")
    judged = by_attention(status.routes)
    acting = [route for route, level in judged if level is Level.ACT]
    if len(acting) == 1:
        why = of_route(acting[0], status.at).text
        return Attention(Level.ACT, f"{acting[0].id} needs you. {why}")
    if acting:
        names = _names([route.id for route in acting])
        return Attention(Level.ACT, f"{len(acting)} routes need you: {names}.")
    if status.rules_problem or status.store_problem or silent(status):
        return Attention(Level.LOOK, "Traffic is fine; the control plane needs a look.")
    looking = [route for route, level in judged if level is Level.LOOK]
    if len(looking) == 1:
        why = of_route(looking[0], status.at).text
        return Attention(Level.LOOK, f"{looking[0].id} wants a look. {why}")
    if looking:
        names = _names([route.id for route in looking])
        return Attention(Level.LOOK, f"{len(looking)} routes want a look: {names}.")
    if not status.routes:
        return Attention(Level.IDLE, "No routes yet.")
    return Attention(Level.FINE, "Everything is fine.")


def notices(status: Status) -> list[Notice]:
    """What every page must say at its top, the most urgent first."""
    found = []
    if status.kill_switch:
        found.append(
            Notice(
                "act",
                "Kill switch is on",
                "Legacy answers every request of every route; all weights are out of force.",
                detail=f"By the kill file: {status.kill_file}" if status.kill_file else "",
                link="/kill-switch",
                link_text="Turn it off",
            )
        )
    if status.rules_problem:
        found.append(
            Notice(
                "look",
                "The rules file on disk was refused",
                f"Version {status.version} stays in force. Mend {status.rules_file}; "
                "it is read again as soon as it changes.",
                detail=status.rules_problem,
                link="/rules",
                link_text="See the rules in force",
            )
        )
    if status.store_problem:
        found.append(
            Notice(
                "look",
                "The store cannot be used",
                "Routing goes on from memory and a rollback still works; records "
                "made now may be lost. Check the disk and the rights of the state directory.",
                detail=status.store_problem,
            )
        )
    quiet = silent(status)
    if quiet:
        names = ", ".join(
            f"{worker.host}: {worker.role} {worker.index}".removeprefix(": ") for worker in quiet
        )
        found.append(
            Notice(
                "look",
                f"{wording.plural(len(quiet), 'worker')} not heard of",
                f"{names}: the rules last received stay in force there. "
                "The supervisor restarts a dead worker by itself.",
            )
        )
    if (recording := status.recording) is not None:
        what = ", ".join(recording.routes) or "all routes"
        found.append(
            Notice(
                "plain",
                "Traffic is being recorded",
                f"{wording.percent(recording.share)} of {what}, by {recording.author}, ends "
                f"{wording.ago(recording.until, status.at)}: {recording.reason.rstrip('.')}.",
                link="/recording",
                link_text="See the recording",
            )
        )
    return found


def silent(status: Status) -> list[WorkerStatus]:
    """Workers that should report and do not; a shadow worker speaks only when it compares."""
    return [worker for worker in status.workers if _is_silent(worker)]


def _is_silent(worker: WorkerStatus) -> bool:
    overdue = worker.last_seen > LAG_AFTER and worker.role != "shadow"
    return overdue or not worker.connected


def _fails_more(route: RouteStatus) -> bool:
    """Whether modern fails noticeably more often than legacy, though no limit was passed yet."""
    modern, legacy = route.modern.error_rate or 0.0, route.legacy.error_rate or 0.0
    return modern > NOTICEABLE and modern > 2 * legacy


def _capital(text: str) -> str:
    """Begin a text as a sentence does."""
    return text[:1].upper() + text[1:]


def _names(ids: list[str]) -> str:
    """Up to three names, then how many more."""
    shown = ", ".join(ids[:3])
    return shown if len(ids) <= 3 else f"{shown} and {len(ids) - 3} more"
