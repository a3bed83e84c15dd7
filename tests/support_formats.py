"""Two bodies of one type compared, and what comes of it in the words that a person reads."""

from __future__ import annotations

from datetime import date

from shadow_compare.budget import Budget
from shadow_compare.compare import compare
from shadow_compare.normalize import Answer
from shadow_compare.paths import path_text
from shadow_compare.rules import CompareRules
from shadow_compare.verdict import Comparison

TODAY = date(2026, 3, 1)
HTML = "text/html; charset=utf-8"
NO_RULES = CompareRules()


def answer(body: str | bytes, media_type: str) -> Answer:
    """Give an answer with a body of a type."""
    data = body.encode() if isinstance(body, str) else body
    return Answer(200, (("content-type", media_type),) if media_type else (), data)


def compared(
    old: str | bytes,
    new: str | bytes,
    media_type: str = HTML,
    rules: CompareRules = NO_RULES,
    budget: Budget | None = None,
) -> Comparison:
    """Compare two bodies of one type."""
    return compare(answer(old, media_type), answer(new, media_type), rules, TODAY, budget)


def told(
    old: str | bytes, new: str | bytes, media_type: str = HTML, rules: CompareRules = NO_RULES
) -> list[str]:
    """Give the differences as kind and path; nothing when there are none."""
    found = compared(old, new, media_type, rules)
    assert found.reason != "not_compared"
    return [f"{each.kind} {path_text(each.path)}" for each in found.differences]
