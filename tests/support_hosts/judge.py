"""What must hold of several hosts whatever happens to them, as functions over the record.

Each gives the violations that it finds, in words; a run is good when all of them give none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

from proxy.routing.rules import WEIGHT_MAX
from tests.support_hosts.record import Act, Failure, Published, Record, Seen

AUTOMATIC: Final = "cutover"
"""Who rolls back without being asked."""

WORKERS: Final = 2
"""Data plane workers of each host."""


def judge(record: Record) -> list[str]:
    """Give all violations of all rules."""
    return [f"{rule.__name__}: {found}" for rule in RULES for found in rule(record)]


def unpublished(record: Record) -> Iterator[str]:
    """Find workers that served by a version which nobody has published."""
    known = {version.number for version in record.published}
    for seen in record.seen:
        if seen.version not in known:
            yield f"{_who(seen)} served by version {seen.version}, which is not in the store"


def gone_back(record: Record) -> Iterator[str]:
    """Find workers whose version went back."""
    for life in _lives(record).values():
        for before, after in pairwise(life):
            if after.version < before.version:
                yield f"{_who(after)} went from version {before.version} to {after.version}"


def gone_back_between_lives(record: Record) -> Iterator[str]:
    """Find workers that began behind where both workers of their host had been just before."""
    reached: dict[str, dict[int, Seen]] = defaultdict(dict)
    for seen in sorted(record.seen, key=lambda each: each.turn):
        lives = reached[seen.host]
        if seen.worker not in lives and len(lives) >= WORKERS:
            last = sorted(lives.values(), key=lambda each: each.turn)[-WORKERS:]
            least = min(each.version for each in last)
            if seen.version < least:
                yield f"{_who(seen)} began with version {seen.version}; its host had {least}"
        lives[seen.worker] = seen


def split(record: Record) -> Iterator[str]:
    """Find decisions that are not those of the version they were made by."""
    known = {version.number: version.routing for version in record.published}
    for seen in record.seen:
        if (routing := known.get(seen.version)) is None:
            continue
        weight = routing.in_force(seen.route)
        bucket = weight - 1 if seen.bucket is None else seen.bucket
        unasked = seen.bucket is None and 0 < weight < WEIGHT_MAX
        if unasked or seen.decided != ("modern" if 0 <= bucket < weight else "legacy"):
            yield (
                f"{_who(seen)} sent bucket {seen.bucket} of {seen.route} to {seen.decided}"
                f" by version {seen.version}, which has {weight / 100:g}%"
            )


def undone(record: Record) -> Iterator[str]:
    """Find workers that had an acknowledged rollback, or kill, and sent somebody to modern since.

    It ends with the version of the first command that may end it, acknowledged or not.
    """
    ends = {Act.ROLLBACK: Act.RESUME, Act.KILL: Act.UNKILL}
    enders = {command.reason: command for command in record.commands}
    for promise in record.promises:
        act, route = promise.command.act, promise.command.route
        if act not in ends:
            continue
        until = min(
            (
                version.number
                for version in record.published
                if version.number > promise.version
                and (ender := enders.get(version.reason)) is not None
                and (ender.act, ender.route) == (ends[act], route)
            ),
            default=None,
        )
        for seen in record.seen:
            if (
                seen.decided == "modern"
                and route in (seen.route, "")
                and promise.version <= seen.version
                and (until is None or seen.version < until)
            ):
                yield (
                    f"{_who(seen)} sent {seen.route} to modern by version {seen.version}, after"
                    f" {act} was acknowledged as version {promise.version}"
                )


def broken_chain(record: Record) -> Iterator[str]:
    """Find versions that were made upon another than the one before."""
    for before, after in pairwise(_in_order(record)):
        if after.parent != before.number:
            yield f"version {after.number} was made upon {after.parent}, not upon {before.number}"


def unexplained(record: Record) -> Iterator[str]:
    """Find versions that changed something else than their command, or without one."""
    commands = {command.reason: command for command in record.commands}
    for before, after in pairwise(_in_order(record)):
        command = commands.get(after.reason)
        if command is not None:
            good = after.routing == command.upon(before.routing)
        else:
            good = after.routing == before.routing or _rolled_back(before, after)
        if not good:
            yield (
                f"version {after.number} by {after.author} ({after.reason}) made {after.routing}"
                f" of {before.routing}"
            )


def lost(record: Record) -> Iterator[str]:
    """Find commands that were acknowledged and are not in the store as that version."""
    known = {version.number: version for version in record.published}
    for promise in record.promises:
        version = known.get(promise.version)
        if version is None:
            yield f"{promise.command} was acknowledged as version {promise.version}: not in store"
        elif not promise.command.holds(version.routing):
            yield f"{promise.command} was acknowledged, and version {promise.version} is {version}"


def out_of_order(record: Record) -> Iterator[str]:
    """Find commands that came after another had been acknowledged, and got a lower version."""
    highest, by = 0, None
    waiting = sorted(record.promises, key=lambda each: each.acknowledged)
    place = 0
    for promise in sorted(record.promises, key=lambda each: each.sent):
        while waiting[place].acknowledged < promise.sent:
            if waiting[place].version > highest:
                highest, by = waiting[place].version, waiting[place]
            place += 1
        if promise.version < highest:
            yield f"{promise} came after {by}"


def two_writers(record: Record) -> Iterator[str]:
    """Find tokens by which more than one host has written, or that came after a higher one."""
    writers: dict[int, str] = {}
    highest = 0
    for version in _in_order(record):
        writer = writers.setdefault(version.token, version.writer)
        if writer != version.writer:
            yield f"{writer} and {version.writer} have both written by token {version.token}"
        if version.token < highest:
            yield f"version {version.number} was written by token {version.token} after {highest}"
        highest = max(highest, version.token)


def changed_afterwards(record: Record) -> Iterator[str]:
    """Find numbers under which two different versions have been published."""
    first: dict[int, Published] = {}
    for version in record.published:
        if first.setdefault(version.number, version) != version:
            yield f"{first[version.number]} is {version} now"


def hurt(record: Record) -> Iterator[str]:
    """Find clients who were not served while their host lived and applications were in reach."""
    for failure in record.failures:
        if not any(_excuses(failure, e.host, e.since, e.until) for e in record.excuses):
            yield f"a client of {failure.host} at {failure.began:.3f}: {failure.what}"


RULES: Final[tuple[Callable[[Record], Iterator[str]], ...]] = (
    unpublished,
    gone_back,
    gone_back_between_lives,
    split,
    undone,
    broken_chain,
    unexplained,
    lost,
    out_of_order,
    two_writers,
    changed_afterwards,
    hurt,
)


def _lives(record: Record) -> dict[tuple[str, int], list[Seen]]:
    lives: dict[tuple[str, int], list[Seen]] = defaultdict(list)
    for seen in sorted(record.seen, key=lambda each: each.turn):
        lives[seen.host, seen.worker].append(seen)
    return lives


def _in_order(record: Record) -> list[Published]:
    return sorted({each.number: each for each in record.published}.values(), key=lambda v: v.number)


def _rolled_back(before: Published, after: Published) -> bool:
    """Say whether all that has changed is that more is rolled back, which needs nobody's word."""
    was, now = before.routing, after.routing
    return (
        after.author == AUTOMATIC
        and now.rolled_back > was.rolled_back
        and (now.weights, now.killed) == (was.weights, was.killed)
    )


def _excuses(failure: Failure, host: str, since: float, until: float) -> bool:
    return failure.host == host and failure.began <= until and failure.ended >= since


def _who(seen: Seen) -> str:
    return f"worker {seen.worker} of {seen.host} at {seen.at:.3f}"
