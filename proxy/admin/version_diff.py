"""What lies between two versions of the routing: in sentences, and line by line (pure)."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from proxy.admin.console import wording
from proxy.control.status import VersionRecord
from proxy.errors import RulesError
from proxy.routing.rules import RouteRules, Rules
from proxy.routing.schema import load_rules

CONTEXT = 3
"""Lines around a changed one that are shown with it."""

_TOLD_APART = frozenset({"id", "line", "weight", "plan", "mirror.share"})


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """From one version to another: what it means, and the documents as a unified diff."""

    before: int
    after: int
    changes: tuple[str, ...]
    lines: tuple[str, ...]

    def to_plain(self) -> dict[str, Any]:
        """As the JSON of the API."""
        return {
            "before": self.before,
            "after": self.after,
            "changes": list(self.changes),
            "diff": "".join(f"{line}\n" for line in self.lines),
        }


def version_diff(before: VersionRecord, after: VersionRecord) -> VersionDiff:
    """Compare two versions, whichever is older."""
    return VersionDiff(
        before.number, after.number, tuple(_changes(before, after)), changed_lines(before, after)
    )


def changed_lines(before: VersionRecord, after: VersionRecord) -> tuple[str, ...]:
    """Give the lines that differ in the documents, as a unified diff; nothing when none do."""
    names = (f"version {before.number}", f"version {after.number}")
    texts = (before.text.splitlines(), after.text.splitlines())
    return tuple(difflib.unified_diff(*texts, *names, lineterm="", n=CONTEXT))


def _changes(before: VersionRecord, after: VersionRecord) -> Iterator[str]:
    if before.text != after.text:
        was, now = _rules(before), _rules(after)
        if was is None or now is None:
            yield "the documents differ; one of them is not read by this program any more"
        else:
            yield from _rules_changes(was, now)
    yield from _moved("rolled back", before.rolled_back, after.rolled_back)
    yield from _moved("writes halted", _halted(before), _halted(after))
    if before.kill_switch != after.kill_switch:
        yield f"kill switch {'on' if after.kill_switch else 'off'}"


def _rules(record: VersionRecord) -> Rules | None:
    try:
        return load_rules(record.text, f"version {record.number}")[1]
    except RulesError:
        return None


def _rules_changes(before: Rules, after: Rules) -> Iterator[str]:
    was = {route.id: route for route in before.routes}
    now = {route.id: route for route in after.routes}
    for name in was:
        if name not in now:
            yield f"{name}: route removed"
    for name, route in now.items():
        if name in was:
            yield from _route_changes(was[name], route)
        else:
            yield f"{name}: new route at {wording.weight(route.weight)}"
    stays = [name for name in was if name in now]
    if stays != [name for name in now if name in was]:
        yield "the order of the routes changed; the first that matches wins"
    others = [
        field.name
        for field in fields(Rules)
        if field.name != "routes" and getattr(before, field.name) != getattr(after, field.name)
    ]
    if others:
        yield f"changed at the top level: {', '.join(others)}"


def _route_changes(before: RouteRules, after: RouteRules) -> Iterator[str]:
    if before.weight != after.weight:
        weights = (wording.weight(before.weight), wording.weight(after.weight))
        yield f"{after.id}: weight {weights[0]} -> {weights[1]}"
    if before.mirror.share != after.mirror.share:
        shares = (wording.percent(before.mirror.share), wording.percent(after.mirror.share))
        yield f"{after.id}: mirror.share {shares[0]} -> {shares[1]}"
    if before.plan != after.plan:
        yield f"{after.id}: plan {before.plan or 'none'} -> {after.plan or 'none'}"
    others = [name for name in _differing(before, after) if name not in _TOLD_APART]
    if others:
        yield f"{after.id}: changed {', '.join(others)}"


def _differing(before: Any, after: Any) -> Iterator[str]:
    """Name the members that are not the same, to the second level: `compare.ignore`."""
    for each in fields(before):
        was, now = getattr(before, each.name), getattr(after, each.name)
        if was == now:
            continue
        if is_dataclass(was) and type(was) is type(now):
            yield from (
                f"{each.name}.{inner.name}"
                for inner in fields(was)
                if getattr(was, inner.name) != getattr(now, inner.name)
            )
        else:
            yield each.name


def _halted(record: VersionRecord) -> tuple[str, ...]:
    return tuple(name for name, halt in record.write_halts.items() if halt.active)


def _moved(what: str, before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{name}: {what}" for name in after if name not in before)
    yield from (f"{name}: no longer {what}" for name in before if name not in after)
