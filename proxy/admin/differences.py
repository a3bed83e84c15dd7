"""The endpoints about differences: list, show, export, accept, fixed, and coverage."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from proxy.admin import schemas
from proxy.admin.deciding import Deciding, stored
from proxy.admin.interfaces import Controller, Report
from proxy.admin.plain import covering_plain, signature_plain
from proxy.admin.responses import json_response
from proxy.admin.standing import RulesInForce, standings
from proxy.control.status import VersionRecord
from shadow_compare.report import Cursor, SignatureSummary
from shadow_compare.report.export import FORMATS, Document

Changed = Callable[[Request, Callable[[int | None], Awaitable[VersionRecord]]], Awaitable[Response]]

SAMPLES_EACH = 3
"""Samples of each signature in a file of many; a file of one holds all."""


class Differences:
    """One method per endpoint, named as its operation."""

    def __init__(self, controller: Controller, report: Report) -> None:
        self._report = report
        self._deciding = Deciding(controller, report)
        self._rules = RulesInForce(controller)

    async def differences(self, request: Request) -> Response:
        """Differences, grouped."""
        page, found = await self._listed(request.query_params)
        return json_response(
            {
                "differences": [signature_plain(signature) for signature in found],
                "next_offset": _next_offset(page, found),
                "next_cursor": _next_cursor(page, found),
            }
        )

    async def difference(self, request: Request) -> Response:
        """One group of differences with samples."""
        return json_response(
            signature_plain(await self._deciding.detail(request.path_params["signature"]))
        )

    async def coverage(self, request: Request) -> Response:
        """How much was compared."""
        since = schemas.read_since(request.query_params)
        route = request.query_params.get("route")
        found = await stored(self._report.coverage(route=route, since=since))
        return json_response({"coverage": [coverage.to_plain() for coverage in found]})

    async def proposals(self, request: Request) -> Response:
        """Rules that what was seen speaks for."""
        page, route = schemas.read_page(request.query_params), request.query_params.get("route")
        asked = self._report.proposals(route, limit=page.limit, offset=page.offset)
        found = await stored(asked)
        return json_response(
            {
                "proposals": [proposal.to_plain() for proposal in found],
                "next_offset": _next_offset(page, found),
            }
        )

    async def adopt(self, request: Request, body: bytes, changed: Changed) -> Response:
        """Make a proposal a rule of its route."""
        name, wanted = request.path_params["proposal"], schemas.read_adoption(body)
        return await changed(request, lambda expected: self._deciding.adopt(name, wanted, expected))

    async def ignore_rules(self, request: Request) -> Response:
        """The ignore rules, and how often each mattered."""
        route = request.query_params.get("route")
        covered = await stored(self._report.coverage(route=route))
        today = datetime.now(UTC).date()
        found = standings(await self._rules.get(), covered, today, route)
        return json_response({"rules": [each.to_plain() for each in found]})

    async def export_difference(self, request: Request) -> Response:
        """One group as a file."""
        kind = _kind(request.query_params)
        detail = await self._deciding.detail(request.path_params["signature"])
        found = detail.summary
        title = f"Difference {found.id} on {found.route}"
        covered = await stored(self._report.coverage(route=found.route))
        document = Document(title, time.time(), covered, [detail])
        return await _file(document, kind, f"difference-{found.id}")

    async def export_differences(self, request: Request) -> Response:
        """Coverage and all groups as one file."""
        query = request.query_params
        kind = _kind(query)
        page, found = await self._listed(query)
        details = []
        for summary in found:
            detail = await stored(self._report.signature(summary.id))
            if detail is not None:
                details.append(replace(detail, samples=detail.samples[:SAMPLES_EACH]))
        notes = ["There are more groups than are in this file."] if len(found) == page.limit else []
        covered = await stored(self._report.coverage(route=query.get("route")))
        document = Document("Differences", time.time(), covered, details, notes=notes)
        return await _file(document, kind, "differences")

    async def acceptance(self, request: Request) -> Response:
        """What accepting a group would rule out."""
        name, paths = request.path_params["signature"], request.query_params.getlist("path")
        return json_response(covering_plain(await self._deciding.covering(name, paths)))

    async def accept(self, request: Request, body: bytes, changed: Changed) -> Response:
        """Make ignore rules of a group, and call it expected."""
        name, wanted = request.path_params["signature"], schemas.read_acceptance(body)
        return await changed(
            request, lambda expected: self._deciding.accept(name, wanted, expected)
        )

    async def fixed(self, request: Request, body: bytes) -> Response:
        """Call a group fixed."""
        name, wanted = request.path_params["signature"], schemas.read_change(body)
        return json_response(signature_plain(await self._deciding.fixed(name, wanted)))

    async def _listed(self, query: QueryParams) -> tuple[schemas.Page, Sequence[SignatureSummary]]:
        page, filters = schemas.read_page(query), schemas.read_filters(query)
        after = schemas.read_cursor(query)
        found = await stored(
            self._report.signatures(filters, limit=page.limit, offset=page.offset, after=after)
        )
        return page, found


def _next_offset(page: schemas.Page, found: Sequence[object]) -> int | None:
    """Give where a list goes on, if it may."""
    return page.offset + page.limit if len(found) == page.limit else None


def _next_cursor(page: schemas.Page, found: Sequence[SignatureSummary]) -> str | None:
    """Give after which group a list goes on, if it may."""
    if len(found) < page.limit:
        return None
    last = found[-1]
    return str(Cursor(last.critical, last.count, last.id))


def _kind(query: QueryParams) -> str:
    return schemas.read_word(query, "as", FORMATS) or "html"


async def _file(document: Document, kind: str, name: str) -> Response:
    """Write a file; in a thread, because a long one takes longer than others can wait."""
    form = FORMATS[kind]
    text = await asyncio.to_thread(form.write, document)
    disposition = f'attachment; filename="{name}{form.suffix}"'
    headers = {"content-type": form.media_type, "content-disposition": disposition}
    return Response(text, headers=headers)
