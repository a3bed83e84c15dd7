"""The endpoints about differences: list, show, export, accept, fixed, and coverage."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from proxy.admin import schemas
from proxy.admin.accepting import entry_of, ignore_rules
from proxy.admin.interfaces import Controller, Report
from proxy.admin.plain import signature_plain
from proxy.admin.problems import Problem, ProblemError
from proxy.admin.responses import json_response
from proxy.admin.standing import RulesInForce, standings
from proxy.control.status import VersionRecord
from proxy.errors import NotFoundError
from shadow_compare.report import SignatureDetail, SignatureSummary, State
from shadow_compare.report.export import FORMATS, Document

T = TypeVar("T")
Body = Callable[[Request], Awaitable[bytes]]
Changed = Callable[[Request, Callable[[int | None], Awaitable[VersionRecord]]], Awaitable[Response]]

SAMPLES_EACH = 3
"""Samples of each signature in a file of many; a file of one holds all."""

_log = logging.getLogger(__name__)


class Differences:
    """One method per endpoint, named as its operation."""

    def __init__(self, controller: Controller, report: Report) -> None:
        self._controller = controller
        self._report = report
        self._rules = RulesInForce(controller)

    async def differences(self, request: Request) -> Response:
        """Differences, grouped."""
        page, found = await self._listed(request.query_params)
        more = len(found) == page.limit
        return json_response(
            {
                "differences": [signature_plain(signature) for signature in found],
                "next_offset": page.offset + page.limit if more else None,
            }
        )

    async def difference(self, request: Request) -> Response:
        """One group of differences with samples."""
        return json_response(signature_plain(await self._detail(request)))

    async def coverage(self, request: Request) -> Response:
        """How much was compared."""
        since = schemas.read_since(request.query_params)
        route = request.query_params.get("route")
        found = await _stored(self._report.coverage(route=route, since=since))
        return json_response({"coverage": [coverage.to_plain() for coverage in found]})

    async def proposals(self, request: Request) -> Response:
        """Rules that what was seen speaks for."""
        found = await _stored(self._report.proposals(request.query_params.get("route")))
        return json_response({"proposals": [proposal.to_plain() for proposal in found]})

    async def adopt(self, request: Request, body: bytes, changed: Changed) -> Response:
        """Make a proposal a rule of its route."""
        wanted = schemas.read_adoption(body)
        name = request.path_params["proposal"]
        found = next((p for p in await _stored(self._report.proposals()) if p.id == name), None)
        if found is None:
            raise NotFoundError(f"There is no proposal {name!r}; it may be a rule by now.")
        entry = entry_of(found, wanted, datetime.now(UTC).date())
        return await changed(
            request,
            lambda expected: self._controller.add_compare_entry(
                found.route,
                found.section,
                entry,
                author=wanted.author,
                reason=wanted.reason,
                evidence={"proposal": found.id, "path": found.path, **found.evidence},
                expected_version=expected,
            ),
        )

    async def ignore_rules(self, request: Request) -> Response:
        """The ignore rules, and how often each mattered."""
        route = request.query_params.get("route")
        covered = await _stored(self._report.coverage(route=route))
        today = datetime.now(UTC).date()
        found = standings(await self._rules.get(), covered, today, route)
        return json_response({"rules": [each.to_plain() for each in found]})

    async def export_difference(self, request: Request) -> Response:
        """One group as a file."""
        kind = _kind(request.query_params)
        detail = await self._detail(request)
        found = detail.summary
        title = f"Difference {found.id} on {found.route}"
        covered = await _stored(self._report.coverage(route=found.route))
        document = Document(title, time.time(), covered, [detail])
        return await _file(document, kind, f"difference-{found.id}")

    async def export_differences(self, request: Request) -> Response:
        """Coverage and all groups as one file."""
        query = request.query_params
        kind = _kind(query)
        page, found = await self._listed(query)
        details = []
        for summary in found:
            detail = await _stored(self._report.signature(summary.id))
            if detail is not None:
                details.append(SignatureDetail(detail.summary, detail.samples[:SAMPLES_EACH]))
        notes = ["There are more groups than are in this file."] if len(found) == page.limit else []
        covered = await _stored(self._report.coverage(route=query.get("route")))
        document = Document("Differences", time.time(), covered, details, notes=notes)
        return await _file(document, kind, "differences")

    async def accept(self, request: Request, body: bytes, changed: Changed) -> Response:
        """Make ignore rules of a group, and call it expected."""
        wanted = schemas.read_acceptance(body)
        found = (await self._detail(request)).summary
        rules = ignore_rules(found, wanted, datetime.now(UTC).date())
        evidence = {
            "signature": found.id,
            "paths": [rule.path for rule in rules],
            "until": wanted.until.isoformat(),
        }

        async def change(expected: int | None) -> VersionRecord:
            record = await self._controller.add_ignore_rules(
                found.route,
                rules,
                author=wanted.author,
                reason=wanted.reason,
                evidence=evidence,
                expected_version=expected,
            )
            await _stored(self._mark(found, State.EXPECTED, wanted, record.number))
            return record

        return await changed(request, change)

    async def fixed(self, request: Request, body: bytes) -> Response:
        """Call a group fixed."""
        wanted = schemas.read_change(body)
        detail = await self._detail(request)
        version = self._controller.status().version
        marked = await _stored(self._mark(detail.summary, State.FIXED, wanted, version))
        return json_response(signature_plain(SignatureDetail(marked, detail.samples)))

    async def _mark(
        self,
        found: SignatureSummary,
        state: State,
        who: schemas.Change | schemas.Acceptance,
        version: int,
    ) -> SignatureSummary:
        marked = await self._report.mark(
            found.id, state, author=who.author, reason=who.reason, at=time.time(), version=version
        )
        return marked or found  # it was pruned at this very moment

    async def _listed(self, query: QueryParams) -> tuple[schemas.Page, Sequence[SignatureSummary]]:
        page, critical = schemas.read_page(query), schemas.read_flag(query, "critical")
        found = await _stored(
            self._report.signatures(
                route=query.get("route"),
                critical=critical,
                limit=page.limit,
                offset=page.offset,
                state=schemas.read_word(query, "state", [state.value for state in State]),
            )
        )
        return page, found

    async def _detail(self, request: Request) -> SignatureDetail:
        signature_id = request.path_params["signature"]
        found = await _stored(self._report.signature(signature_id))
        if found is None:
            raise NotFoundError(f"There is no difference with the signature {signature_id!r}.")
        return found


def _kind(query: QueryParams) -> str:
    return schemas.read_word(query, "as", FORMATS) or "html"


async def _file(document: Document, kind: str, name: str) -> Response:
    """Write a file; in a thread, because a long one takes longer than others can wait."""
    form = FORMATS[kind]
    text = await asyncio.to_thread(form.write, document)
    disposition = f'attachment; filename="{name}{form.suffix}"'
    headers = {"content-type": form.media_type, "content-disposition": disposition}
    return Response(text, headers=headers)


async def _stored(reading: Awaitable[T]) -> T:
    """Await a use of the comparisons; their store may be gone while all else goes on."""
    try:
        return await reading
    except Exception as error:
        _log.exception("the comparisons cannot be used")
        detail = f"The comparisons cannot be used just now: {error}"
        problem = Problem(503, "store-unavailable", detail, "Try again; the proxy goes on without.")
        raise ProblemError(problem) from error
