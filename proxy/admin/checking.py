"""A rules document that is not in force: what is wrong with it, what it would change (pure)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from proxy.admin.version_diff import version_diff
from proxy.control.status import VersionRecord
from proxy.errors import RulesError, RulesProblem
from proxy.routing.schema import load_rules

FILE = "rules"
"""As which the document stands in what is said of it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found; `changes` and `lines` are against the version in force, and empty if invalid.

    `digest` names the text, so that what is put in force is what was looked at.
    """

    version: int
    problems: tuple[RulesProblem, ...]
    changes: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    digest: str = ""

    @property
    def valid(self) -> bool:
        """Whether it could be put in force."""
        return not self.problems

    def to_plain(self) -> dict[str, Any]:
        """As the JSON of the API."""
        return {
            "version": self.version,
            "valid": self.valid,
            "problems": [
                {
                    "line": each.where.line,
                    "column": each.where.column,
                    "message": each.message,
                    "found": each.text,
                    "suggestion": each.suggestion,
                }
                for each in self.problems
            ],
            "changes": list(self.changes),
            "diff": "".join(f"{line}\n" for line in self.lines),
        }


def check(text: str, current: VersionRecord) -> Checked:
    """Look at a document as if it followed the version in force."""
    try:
        load_rules(text, FILE)
    except RulesError as error:
        return Checked(current.number, error.problems, digest=digest(text))
    diff = version_diff(current, replace(current, number=current.number + 1, text=text))
    return Checked(current.number, (), diff.changes, diff.lines, digest(text))


def digest(text: str) -> str:
    """Name a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
