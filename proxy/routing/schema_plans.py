"""Reading `plans` and `calendar`: how routes move by themselves, and when they may."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from proxy.routing.calendar_rules import DAYS, MINUTES, CalendarRules, Freeze, Hours
from proxy.routing.node import Node, each
from proxy.routing.rules import GateRules, StepRules

Plans = dict[str, tuple[StepRules, ...]]

_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])|(24):(00)")
_ZONE = re.compile(r"[A-Za-z]+(?:[/_+\-][A-Za-z0-9_+\-]+)*")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_plans(node: Node) -> Plans:
    """Read `plans`: names, each with a list of steps."""
    return {
        name: tuple(_step(step) for step in child.items()) for name, child in node.mapping(None)
    }


def _step(node: Node) -> StepRules:
    keys = node.mapping(("weight", "hold", "shadow", "until", "approval"), required=("weight",))
    return StepRules(
        weight=keys.read("weight", lambda n: n.weight(), 0),
        hold=keys.read("hold", lambda n: n.duration(0.0), 0.0),
        shadow=keys.read("shadow", lambda n: n.flag(False), False),
        until=keys.read("until", _gate, GateRules()),
        approval=keys.read("approval", lambda n: n.flag(False), False),
    )


def _gate(node: Node) -> GateRules:
    keys = node.mapping(("requests", "compared", "error_rate", "mismatch_rate"))
    return GateRules(
        requests=keys.read("requests", lambda n: n.count(0), None),
        compared=keys.read("compared", lambda n: n.count(0), None),
        error_rate=keys.read("error_rate", _provable, None),
        mismatch_rate=keys.read("mismatch_rate", _provable, None),
    )


def _provable(node: Node) -> float:
    rate = node.rate(0.01)
    if rate == 0.0:
        node.problem("no number of events proves a rate of 0%", "write 0.01%, or what is small")
    return rate


def read_calendar(node: Node) -> CalendarRules:
    """Read `calendar`; its local times are of the zone that it declares."""
    keys = node.mapping(("zone", "hours", "freeze"), required=("zone",))
    zone = keys.read("zone", _zone, "UTC")
    return CalendarRules(
        zone=zone,
        hours=keys.read("hours", each(_hours), ()),
        freezes=keys.read("freeze", each(_freeze(ZoneInfo(zone))), ()),
    )


def _zone(node: Node) -> str:
    text = node.text("UTC")
    if _ZONE.fullmatch(text):  # a path is a valid key for ZoneInfo: hence the pattern
        try:
            return ZoneInfo(text).key
        except (ZoneInfoNotFoundError, OSError):
            pass
    node.problem("is not the name of a time zone known here", "write UTC or Europe/Berlin")
    return "UTC"


def _hours(node: Node) -> Hours:
    keys = node.mapping(("days", "from", "to"))
    days = keys.read("days", each(lambda n: n.one_of(DAYS, "mon")), DAYS)
    if not days:
        node.problem("names no day", "write `days: [mon, tue]`, or leave `days` out for all")
    return Hours(
        days=tuple(sorted({DAYS.index(day) for day in days})),
        begins=keys.read("from", _clock, 0),
        ends=keys.read("to", _clock, MINUTES),
    )


def _clock(node: Node) -> int:
    text = node.text()
    found = _CLOCK.fullmatch(text)
    if text and found is None:
        node.problem("must be a time of day", 'write "09:00"')
    if found is None:
        return 0
    hours, minutes = found[1] or found[3], found[2] or found[4]
    return int(hours) * 60 + int(minutes)


def _freeze(zone: ZoneInfo) -> Callable[[Node], Freeze]:
    def read(node: Node) -> Freeze:
        keys = node.mapping(("from", "to", "reason"), required=("from", "to"))
        begins = keys.read("from", lambda n: _moment(n, zone, last=False), 0.0)
        ends = keys.read("to", lambda n: _moment(n, zone, last=True), 0.0)
        if begins and ends and ends <= begins:
            node.problem("ends before it begins")
        return Freeze(begins, ends, keys.read("reason", lambda n: n.text(), ""))

    return read


def _moment(node: Node, zone: ZoneInfo, *, last: bool) -> float:
    """Read a day or a local time; as an end, a day counts in full."""
    text = node.text()
    if not text:
        return 0.0
    try:
        local = datetime.fromisoformat(text)
        if local.tzinfo is not None:
            raise ValueError
        if last and _DAY.fullmatch(text):
            local += timedelta(days=1)
        return local.replace(tzinfo=zone).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        node.problem(
            "must be a day, or a time in the zone of the calendar",
            "write 2026-12-24 or 2026-12-24T18:00",
        )
        return 0.0
