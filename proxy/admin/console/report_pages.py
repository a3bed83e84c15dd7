"""The pages of reports: which there are, and that of a route, to be read or printed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin.console.render import Renderer
from proxy.admin.interfaces import Controller
from proxy.admin.problems import ProblemError
from proxy.admin.report_sections import sections, title_of
from proxy.admin.reporting import Reporting


class ReportPages:
    """Pages over what is known of routes."""

    def __init__(self, controller: Controller, reporting: Reporting, renderer: Renderer) -> None:
        self._controller = controller
        self._reporting = reporting
        self._renderer = renderer

    async def report(self, request: Request) -> Response:
        """One route, with everything that speaks for or against it."""
        route_id = request.path_params["route_id"]
        status = await self._controller.survey()
        if self._controller.route(route_id) is None:
            text = f"There is no route “{route_id}” in the rules in force."
            return self._renderer.page(request, "missing.html", status, code=404, text=text)
        try:
            found = await self._reporting.gather(route_id)
        except ProblemError as error:
            text = error.problem.detail
            return self._renderer.page(
                request, "missing.html", status, code=error.problem.status, text=text
            )
        return self._renderer.page(
            request,
            "report.html",
            status,
            route_id=route_id,
            title=title_of(found),
            sections=sections(found),
        )
