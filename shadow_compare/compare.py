"""Two answers in, one comparison out: equal bytes, then equal content, then where they differ.

"Equal" is only ever said after looking at everything: what is too big, too deep or cannot be
decoded is NOT_COMPARED with the reason.
"""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from shadow_compare.budget import Budget
from shadow_compare.corresponding import CorrespondingWalk, Known
from shadow_compare.difference import TypeChanged, ValueChanged
from shadow_compare.findings import Findings
from shadow_compare.formats import Format, UnreadableError, format_of
from shadow_compare.formats.excerpt import around_first_change, beginning, digest
from shadow_compare.formats.notice import compare_notices, cut_notices, may_have_notices
from shadow_compare.headers import compare_headers
from shadow_compare.normalize import Answer, Content, NotComparableError, decoded_body
from shadow_compare.paths import STATUS
from shadow_compare.rules import CompareRules
from shadow_compare.structure import Walk
from shadow_compare.verdict import Comparison, Verdict

_MATCH: Final = Comparison(Verdict.MATCH)


def compare(
    old: Answer,
    new: Answer,
    rules: CompareRules,
    today: date,
    budget: Budget | None = None,
    known: Known | None = None,
) -> Comparison:
    """Compare legacy's answer (old) with modern's (new) on this day, within a budget.

    `known` is what is known of names that correspond, where the rules declare such.
    """
    walk = _walk(rules, today, budget or Budget(), known)
    try:
        if old.status != new.status:
            walk.add(ValueChanged(STATUS, old.status, new.status))
        says_it_all = bool(walk.findings.places)
        compare_headers(walk, old.headers, new.headers)
        # An error page against a page differs everywhere; the two statuses say it all.
        if not says_it_all:
            _compare_bodies(walk, old, new)
        walk.finish()
    except NotComparableError as error:
        return Comparison.not_compared(error.reason)
    return _concluded(walk.findings)


def compare_json(
    old: bytes, new: bytes, rules: CompareRules, today: date, budget: Budget | None = None
) -> Comparison:
    """Compare two JSON texts by the same rules."""
    headers = (("content-type", "application/json"),)
    return compare(Answer(200, headers, old), Answer(200, headers, new), rules, today, budget)


def _walk(rules: CompareRules, today: date, budget: Budget, known: Known | None) -> Walk:
    if known is None:
        return Walk(rules, today, budget)
    return CorrespondingWalk(rules, today, budget, known)


def _concluded(found: Findings) -> Comparison:
    if not found.fired and not found.places:
        return _MATCH
    fired = tuple(sorted(found.fired.items()))
    if found.places:
        return Comparison(
            Verdict.MISMATCH,
            differences=tuple(found.differences),
            ignored=tuple(found.ignored),
            places=tuple(sorted(found.places)),
            fired=fired,
            critical=found.critical,
        )
    if found.ignored:
        return Comparison(Verdict.IGNORED, "rules", ignored=tuple(found.ignored), fired=fired)
    return Comparison(Verdict.MATCH, fired=fired)


def _compare_bodies(walk: Walk, old: Answer, new: Answer) -> None:
    before, after = decoded_body(old), decoded_body(new)
    if before == after and not walk.looks_at_equals:
        return
    walk.budget.check_size(before)
    walk.budget.check_size(after)
    form = format_of(old, new)
    if not walk.looks_at_equals and _is_soon_compared(walk, form, before, after):
        return
    if may_have_notices(before) or may_have_notices(after):
        if form.content not in (Content.BYTES, Content.PDF):
            before, after = _without_notices(walk, before, after)
        if before == after and not walk.looks_at_equals:
            return
    try:
        form.compare(walk, form.read(before, old), form.read(after, new))
    except UnreadableError:
        if before != after:
            _compare_unreadable(walk, form, _fault(form, before, old), _fault(form, after, new))


def _is_soon_compared(walk: Walk, form: Format, before: bytes, after: bytes) -> bool:
    """Compare two bodies of a format that can tell soon whether they say the same, if it can.

    It cannot when one is broken, or holds notices and the other does not say the same.
    """
    if form.read_unlike is None:
        return False
    try:
        unlike = form.read_unlike(before, after)
    except UnreadableError:
        return False
    if unlike is None:
        return True
    if may_have_notices(before) or may_have_notices(after):
        return False
    form.compare(walk, *unlike)
    return True


def _without_notices(walk: Walk, before: bytes, after: bytes) -> tuple[bytes, bytes]:
    before, old_notices = cut_notices(before)
    after, new_notices = cut_notices(after)
    compare_notices(walk, old_notices, new_notices)
    return before, after


class _Body(NamedTuple):
    body: bytes
    fault: str

    def outline(self, content: Content) -> str:
        shown = digest(self.body) if content is Content.PDF else beginning(self.body)
        return f"{self.fault or content.value}: {shown}"


def _fault(form: Format, body: bytes, answer: Answer) -> _Body:
    try:
        form.read(body, answer)
    except UnreadableError as error:
        return _Body(body, str(error))
    return _Body(body, "")


def _compare_unreadable(walk: Walk, form: Format, old: _Body, new: _Body) -> None:
    """Compare two bodies of which one or both are not what they are called.

    Two of them are compared as they are: nobody knows what clients make of them.
    """
    if not (old.fault and new.fault) or form.content is Content.PDF:
        kind = ValueChanged if old.fault and new.fault else TypeChanged
        walk.add(kind(form.root, old.outline(form.content), new.outline(form.content)))
    else:
        walk.add(ValueChanged(form.root, *around_first_change(old.body, new.body)))
