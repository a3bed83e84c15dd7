"""The cutover report of a route: read, and written as what was asked for."""

from __future__ import annotations

import asyncio
import re
import time

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin import schemas
from proxy.admin.cutover_report import CutoverReport, gather
from proxy.admin.deciding import stored
from proxy.admin.interfaces import Controller, Report
from proxy.admin.pdf import Pdf
from proxy.admin.report_sections import report_plain, sections, title_of
from proxy.admin.responses import json_response


class Reporting:
    """Reads and writes reports, one PDF at a time."""

    def __init__(self, controller: Controller, report: Report) -> None:
        self._controller = controller
        self._report = report
        self._writing = asyncio.Semaphore(1)

    async def answer(self, request: Request, route_id: str) -> Response:
        """Answer the API."""
        kind = schemas.read_word(request.query_params, "as", ("json", "pdf"))
        found = await self.gather(route_id)
        if kind != "pdf":
            return json_response(report_plain(found))
        async with self._writing:
            written = await asyncio.to_thread(pdf_of, found)
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", route_id)[:60] or "route"
        disposition = f'attachment; filename="cutover-report-{name}.pdf"'
        headers = {"content-disposition": disposition}
        return Response(written, media_type="application/pdf", headers=headers)

    async def gather(self, route_id: str) -> CutoverReport:
        """Read everything about a route of the rules; raises ProblemError without the store."""
        return await stored(gather(self._controller, self._report, route_id, time.time()))


def pdf_of(report: CutoverReport) -> bytes:
    """Write a report as PDF."""
    pdf = Pdf(title_of(report), report.at)
    pdf.heading(title_of(report), 18)
    for section in sections(report):
        pdf.heading(section.title)
        for text in section.text:
            pdf.paragraph(text)
        if section.rows:
            pdf.table(section.columns, section.rows)
    return pdf.write()
