"""Two answers in, one comparison out: equal bytes, then equal content, then where they differ.

"Equal" is only ever said after looking at everything: what is too big, too deep or cannot be
decoded is NOT_COMPARED with the reason.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Final

import orjson

from shadow_compare.difference import TypeChanged, ValueChanged
from shadow_compare.headers import header_differences
from shadow_compare.json_value import InvalidJsonError, Json, TooDeepError, parse_json
from shadow_compare.normalize import Answer, Content, NotComparableError, decoded_body
from shadow_compare.paths import BODY, STATUS
from shadow_compare.rules import CompareRules
from shadow_compare.structure import Walk
from shadow_compare.verdict import Comparison, Verdict

NODES_MAX: Final = 200_000
"""Values looked at in one comparison: a few megabytes of JSON, a few tenths of a second."""

_SNIPPET: Final = 120

_MATCH: Final = Comparison(Verdict.MATCH)


def compare(
    old: Answer, new: Answer, rules: CompareRules, today: date, nodes: int = NODES_MAX
) -> Comparison:
    """Compare legacy's answer (old) with modern's (new) on this day, within a budget of nodes."""
    walk = Walk(rules, today, nodes)
    try:
        if old.status != new.status:
            walk.add(ValueChanged(STATUS, old.status, new.status))
        for difference in header_differences(old, new):
            walk.add(difference)
        # An error page against a page differs everywhere; the two statuses say it all.
        if not any(each.path == STATUS for each in walk.differences):
            _compare_bodies(walk, old, new)
    except NotComparableError as error:
        return Comparison.not_compared(error.reason)
    return _concluded(walk)


def compare_json(
    old: bytes, new: bytes, rules: CompareRules, today: date, nodes: int = NODES_MAX
) -> Comparison:
    """Compare two JSON texts by the same rules."""
    headers = (("content-type", "application/json"),)
    return compare(Answer(200, headers, old), Answer(200, headers, new), rules, today, nodes)


def _concluded(walk: Walk) -> Comparison:
    fired = tuple(sorted(walk.fired.items()))
    if walk.places:
        return Comparison(
            Verdict.MISMATCH,
            differences=tuple(walk.differences),
            ignored=tuple(walk.ignored),
            places=tuple(sorted(walk.places)),
            fired=fired,
            critical=walk.critical,
        )
    if walk.ignored:
        return Comparison(Verdict.IGNORED, "rules", ignored=tuple(walk.ignored), fired=fired)
    return Comparison(Verdict.MATCH, fired=fired) if fired else _MATCH


def _compare_bodies(walk: Walk, old: Answer, new: Answer) -> None:
    before, after = decoded_body(old), decoded_body(new)
    if before == after:
        return
    contents = {old.content, new.content}
    if Content.JSON in contents:
        _compare_json(walk, before, after)
    elif Content.BYTES in contents:
        walk.add(ValueChanged(BODY, _digest(before), _digest(after)))
    else:
        walk.add(ValueChanged(BODY, *_around_first_change(before, after)))


def _compare_json(walk: Walk, before: bytes, after: bytes) -> None:
    old, new = _parsed(before), _parsed(after)
    if isinstance(old, InvalidJsonError) or isinstance(new, InvalidJsonError):
        if isinstance(old, InvalidJsonError) and isinstance(new, InvalidJsonError):
            walk.add(ValueChanged(BODY, *_around_first_change(before, after)))
        else:
            walk.add(TypeChanged(BODY, _outline(old, before), _outline(new, after)))
    elif not _is_same_content(old, new):
        walk.compare(old, new, BODY)


def _parsed(body: bytes) -> Json | InvalidJsonError:
    try:
        return parse_json(body)
    except InvalidJsonError as error:
        return error
    except TooDeepError:
        raise NotComparableError("too_deep") from None


def _is_same_content(old: Json, new: Json) -> bool:
    """Whether both are the same but for the order of members; False may mean not known."""
    try:
        return orjson.dumps(old, option=orjson.OPT_SORT_KEYS) == orjson.dumps(
            new, option=orjson.OPT_SORT_KEYS
        )
    except orjson.JSONEncodeError:  # holds a Decimal, or an integer or string orjson cannot write
        return False


def _outline(parsed: Json | InvalidJsonError, body: bytes) -> str:
    start = body[:_SNIPPET].decode("utf-8", "replace")
    if isinstance(parsed, InvalidJsonError):
        return f"not JSON ({parsed}): {start}"
    return f"JSON: {start}"


def _around_first_change(before: bytes, after: bytes) -> tuple[str, str]:
    """Give what stands around the first byte that differs, on both sides."""
    shared = _shared_prefix(before, after)
    start = max(0, shared - _SNIPPET // 4)
    stop = start + _SNIPPET
    return (
        before[start:stop].decode("utf-8", "replace"),
        after[start:stop].decode("utf-8", "replace"),
    )


def _shared_prefix(one: bytes, other: bytes) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:  # by halves, as slices compare at the speed of memory
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def _digest(body: bytes) -> str:
    return f"{len(body)} bytes, sha256 {hashlib.sha256(body).hexdigest()[:16]}"
