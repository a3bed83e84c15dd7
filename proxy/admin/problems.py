"""Errors as RFC 9457 problem details: what happened, where, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from proxy.errors import (
    ConflictError,
    CutoverError,
    ElsewhereError,
    NotFoundError,
    RefusedError,
    RulesError,
    UnwrittenError,
)

TITLES = {
    "invalid-request": "The request cannot be used",
    "not-authenticated": "Authentication is needed",
    "sign-in": "Authentication is needed",
    "too-many-attempts": "Too many wrong attempts",
    "not-allowed": "Your role does not allow this",
    "cross-site": "The request comes from another site",
    "unknown-host": "The request is addressed to another host",
    "not-found": "There is no such thing",
    "method-not-allowed": "This address does not take this method",
    "conflict": "Somebody else changed the rules first",
    "precondition-failed": "The rules are at another version than you named",
    "refused": "Not allowed in the present state",
    "too-large": "The request body is too large",
    "not-json": "The request body is not JSON",
    "rules-refused": "The rules would not be valid",
    "not-explained": "The request cannot be explained",
    "store-unavailable": "The store cannot be read",
    "elsewhere": "Another host acts",
    "not-written": "The change may be lost",
    "busy": "Too many are listening",
    "internal": "Something broke here",
}
"""Every type of problem the API answers with, and its title."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is told to the client; `extra` are extension members."""

    status: int
    kind: str
    detail: str
    mend: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def to_plain(self, instance: str) -> dict[str, Any]:
        """As the members of a problem details object."""
        plain = {
            "type": f"urn:cutover:problem:{self.kind}",
            "title": TITLES[self.kind],
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
        }
        if self.mend:
            plain["mend"] = self.mend
        return {**plain, **self.extra}


class ProblemError(CutoverError):
    """The request is answered with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def problem_of(error: CutoverError) -> Problem:
    """Map an error of the product to the problem that tells it."""
    match error:
        case ProblemError():
            return error.problem
        case NotFoundError():
            return Problem(404, "not-found", str(error))
        case ConflictError():
            return Problem(
                409, "conflict", str(error), "Read the rules again and repeat the change."
            )
        case ElsewhereError():
            extra = {"acting": error.acting, "url": error.url}
            return Problem(421, "elsewhere", str(error), extra=extra)
        case UnwrittenError():
            mend = "Look which version is in force, and repeat the change if it is not."
            return Problem(503, "not-written", str(error), mend)
        case RefusedError():
            return Problem(409, "refused", str(error))
        case RulesError():
            problems = [
                {"where": str(one.where), "detail": one.message, "mend": one.suggestion}
                for one in error.problems
            ]
            return Problem(422, "rules-refused", str(error), extra={"problems": problems})
        case _:
            return Problem(500, "internal", str(error))


def no_route(route_id: str, known: Iterable[str]) -> Problem:
    """There is no route of this id; names the nearest, or all of them when they are few."""
    ids = list(known)
    near = difflib.get_close_matches(route_id, ids, n=1, cutoff=0.5)
    if near:
        mend = f"Did you mean {near[0]}?"
    elif ids:
        mend = f"Routes: {', '.join(ids[:10])}{' …' if len(ids) > 10 else ''}"
    else:
        mend = "No routes are in force."
    extra = {"suggestion": near[0]} if near else {}
    return Problem(404, "not-found", f"There is no route {route_id!r}.", mend, extra)
