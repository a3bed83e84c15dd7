"""From "this difference is to be" to ignore rules (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from proxy.admin.problems import Problem, ProblemError
from proxy.admin.schemas import Acceptance, Adoption
from proxy.routing.compare_rules import IgnoreRule
from proxy.routing.schema_compare import is_answer_path
from shadow_compare.report import Proposal, SignatureSummary
from shadow_compare.report.covering import rule_path

PATHS_MAX = 20
"""More places than these are no single thing that somebody expects."""


def entry_of(proposal: Proposal, wanted: Adoption, today: date) -> dict[str, Any]:
    """Give what is added for a proposal; raises ProblemError."""
    if proposal.section != "ignore":
        if wanted.until is not None or wanted.owner:
            raise _refused(
                f"A rule of `{proposal.section}` has neither an end nor an owner.",
                "Leave them out.",
                "until",
            )
        return dict(proposal.value)
    if wanted.until is None or wanted.until < today:
        raise _refused("An ignore rule ends one day.", "Name a day to come.", "until")
    owner = {"owner": wanted.owner} if wanted.owner else {}
    until = wanted.until.isoformat()
    return {"path": proposal.path, "reason": wanted.reason, **owner, "until": until}


def ignore_rules(
    found: SignatureSummary, wanted: Acceptance, today: date
) -> tuple[IgnoreRule, ...]:
    """Give the rules that rule a signature out until a day; raises ProblemError."""
    if wanted.until < today:
        raise _refused(
            f"A rule until {wanted.until} has ended already.", "Name a day to come.", "until"
        )
    if found.critical and not wanted.critical:
        raise _refused(
            "The signature differs at a place that the rules call critical.",
            'Say "critical": true (--critical) if that is meant.',
            "critical",
        )
    paths = tuple(dict.fromkeys(map(rule_path, wanted.paths or found.paths)))
    check_paths(found, paths)
    nameless = [path for path in paths if not is_answer_path(path)]
    if nameless:
        raise _refused(
            f"No rule can name {', '.join(nameless)}.",
            "Write a rule for a place above it into the rules file.",
            "paths",
        )
    if len(paths) > PATHS_MAX:
        raise _refused(
            f"The signature differs at {len(paths)} places; {PATHS_MAX} are the most.",
            "Name some of them as paths, or write a rule for a place above them.",
            "paths",
        )
    return tuple(IgnoreRule(path, wanted.reason, wanted.owner, wanted.until) for path in paths)


def check_paths(found: SignatureSummary, paths: Iterable[str]) -> None:
    """Make sure that a group differs at these places; raises ProblemError."""
    known = frozenset(map(rule_path, found.paths))
    strange = [path for path in map(rule_path, paths) if path not in known]
    if strange:
        raise _refused(
            f"The signature does not differ at {', '.join(strange)}.",
            f"It differs at {', '.join(found.paths[:PATHS_MAX])}.",
            "paths",
        )


def _refused(detail: str, mend: str, where: str) -> ProblemError:
    problems = [{"where": where, "detail": detail, "mend": mend}]
    return ProblemError(Problem(422, "invalid-request", detail, mend, {"problems": problems}))
