"""What people decide about differences, whether they say so by the API or in the console."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final, TypeVar

from proxy.admin.accepting import check_paths, entry_of, ignore_rules
from proxy.admin.interfaces import Controller, Report
from proxy.admin.problems import Problem, ProblemError
from proxy.admin.schemas import Acceptance, Adoption, Change
from proxy.control.status import VersionRecord
from proxy.errors import NotFoundError
from shadow_compare.report import Filters, SignatureDetail, SignatureSummary, State
from shadow_compare.report.covering import Covering, covering

T = TypeVar("T")

OTHERS_MAX: Final = 200
"""Other groups of a route that are looked at for what a rule would cover, the most frequent."""

_log = logging.getLogger(__name__)


class Deciding:
    """Makes rules of what differs, and marks groups. Raises CutoverError, and changes nothing then.

    `expected` is the version that the rules must still be at, or None for any.
    """

    def __init__(self, controller: Controller, report: Report) -> None:
        self._controller = controller
        self._report = report

    async def accept(self, name: str, wanted: Acceptance, expected: int | None) -> VersionRecord:
        """Make ignore rules of a group, and call it expected."""
        (record,) = await self.accept_all([name], wanted, expected)
        return record

    async def accept_all(
        self, names: Sequence[str], wanted: Acceptance, expected: int | None
    ) -> list[VersionRecord]:
        """Make ignore rules of groups, a version for each route, and call the groups expected.

        What cannot be accepted is refused before anything is changed.
        """
        found = [(await self.detail(name)).summary for name in names]
        rules = {each.id: ignore_rules(each, wanted, _today()) for each in found}
        records: list[VersionRecord] = []
        for route in dict.fromkeys(each.route for each in found):
            groups = [each for each in found if each.route == route]
            added = tuple(dict.fromkeys(rule for each in groups for rule in rules[each.id]))
            record = await self._controller.add_ignore_rules(
                route,
                added,
                author=wanted.author,
                reason=wanted.reason,
                evidence={
                    **_named(groups),
                    "paths": [rule.path for rule in added],
                    "until": wanted.until.isoformat(),
                },
                expected_version=expected,
            )
            expected = None if expected is None else record.number
            for each in groups:
                await self._mark(each, State.EXPECTED, wanted, record.number)
            records.append(record)
        return records

    async def fixed(self, name: str, wanted: Change) -> SignatureDetail:
        """Call a group fixed."""
        found = await self.detail(name)
        version = self._controller.brief().version
        marked = await self._mark(found.summary, State.FIXED, wanted, version)
        return replace(found, summary=marked)

    async def adopt(self, name: str, wanted: Adoption, expected: int | None) -> VersionRecord:
        """Make a proposal a rule of its route."""
        found = await stored(self._report.proposal(name))
        if found is None:
            raise NotFoundError(f"There is no proposal {name!r}; it may be a rule by now.")
        return await self._controller.add_compare_entry(
            found.route,
            found.section,
            entry_of(found, wanted, _today()),
            author=wanted.author,
            reason=wanted.reason,
            evidence={"proposal": found.id, "path": found.path, **found.evidence},
            expected_version=expected,
        )

    async def covering(self, name: str, paths: Sequence[str]) -> Covering:
        """Say what accepting a group, or some of its places, would rule out."""
        return await self.covering_of(await self.detail(name), paths)

    async def covering_of(self, found: SignatureDetail, paths: Sequence[str]) -> Covering:
        """Say the same of a group that was read."""
        check_paths(found.summary, paths)
        filters = Filters(route=found.summary.route, state=State.OPEN)
        others = await stored(self._report.signatures(filters, limit=OTHERS_MAX + 1))
        return covering(found, paths, others[:OTHERS_MAX], more=len(others) > OTHERS_MAX)

    async def detail(self, name: str) -> SignatureDetail:
        """Give a group with its samples."""
        found = await stored(self._report.signature(name))
        if found is None:
            raise NotFoundError(f"There is no difference with the signature {name!r}.")
        return found

    async def _mark(
        self, found: SignatureSummary, state: State, who: Change | Acceptance, version: int
    ) -> SignatureSummary:
        marked = await stored(
            self._report.mark(
                found.id,
                state,
                author=who.author,
                reason=who.reason,
                at=time.time(),
                version=version,
            )
        )
        return marked or found  # it was pruned at this very moment


async def stored(reading: Awaitable[T]) -> T:
    """Await a use of the comparisons; their store may be gone while all else goes on."""
    try:
        return await reading
    except Exception as error:
        _log.exception("the comparisons cannot be used")
        detail = f"The comparisons cannot be used just now: {error}"
        problem = Problem(503, "store-unavailable", detail, "Try again; the proxy goes on without.")
        raise ProblemError(problem) from error


def _named(groups: Sequence[SignatureSummary]) -> dict[str, Any]:
    names = [each.id for each in groups]
    return {"signature": names[0]} if len(names) == 1 else {"signatures": names}


def _today() -> date:
    return datetime.now(UTC).date()
