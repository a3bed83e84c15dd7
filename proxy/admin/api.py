"""The endpoints of the API below /api/v1: read a request, ask the controller, write JSON."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache
from typing import Any, Protocol

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from proxy.admin import schemas
from proxy.admin.account_endpoints import AccountEndpoints
from proxy.admin.auditing import Auditing
from proxy.admin.auth import is_json
from proxy.admin.checking import check
from proxy.admin.differences import Differences
from proxy.admin.endpoints import ENDPOINTS, PREFIX
from proxy.admin.events import event_stream
from proxy.admin.explaining import Explaining
from proxy.admin.health import health
from proxy.admin.interfaces import Controller, Report
from proxy.admin.members import Trouble, raise_for
from proxy.admin.openapi import document
from proxy.admin.plain import (
    decision_plain,
    route_plain,
    version_plain,
    version_with_text_plain,
)
from proxy.admin.plans import PlanEndpoints
from proxy.admin.preview import preview
from proxy.admin.problems import Problem, ProblemError, no_route
from proxy.admin.recording import RecordingEndpoints
from proxy.admin.replay_endpoints import ReplayEndpoints
from proxy.admin.replaying import Replaying
from proxy.admin.reporting import Reporting
from proxy.admin.responses import json_response
from proxy.admin.series import read_series
from proxy.admin.told_status import ToldStatus
from proxy.admin.version_diff import version_diff
from proxy.control.status import VersionRecord
from proxy.errors import ConflictError, NotFoundError
from proxy.settings import whole_number

BODY_MAX = 64 * 1024
DOCUMENT_MAX = 8 * 1024 * 1024
"""Bytes of a body that holds a rules document: one as large as can be, escaped as JSON."""

STREAMS_MAX = 64
CHECKS_AT_ONCE = 2
CHANGES_SHOWN = 5

_ETAG = re.compile(r'"(\d{1,15})"', re.ASCII)


Answer = Callable[[Request], Awaitable[Response]]


class OfRoute(Protocol):
    """A change of one route that needs nothing but who and why."""

    def __call__(
        self, route_id: str, *, author: str, reason: str, expected_version: int | None
    ) -> Awaitable[VersionRecord]:
        """Make it."""
        ...


class Api:
    """One method per endpoint, named as its operation."""

    def __init__(
        self,
        controller: Controller,
        report: Report,
        explaining: Explaining,
        auditing: Auditing,
        accounts: AccountEndpoints,
        replaying: Replaying,
    ) -> None:
        self._controller = controller
        self._told = ToldStatus(controller)
        self._about = Differences(controller, report)
        self._plans = PlanEndpoints(controller)
        self._recording = RecordingEndpoints(controller)
        self._reporting = Reporting(controller, report)
        self._explaining = explaining
        self._streams = 0
        self._auditing = auditing
        self._accounts = accounts
        self._replays = ReplayEndpoints(replaying)
        self._checking = asyncio.Semaphore(CHECKS_AT_ONCE)

    def routes_of_app(self) -> list[Route]:
        """Build the routes from the table of endpoints."""
        methods: dict[str, dict[str, Answer]] = {}
        for endpoint in ENDPOINTS:
            function = self._function(endpoint.operation)
            methods.setdefault(PREFIX + endpoint.path, {})[endpoint.method] = function
        return [Route(path, _by_method(each), methods=list(each)) for path, each in methods.items()]

    def _function(self, operation: str) -> Any:
        return getattr(self, operation, None) or getattr(self._about, operation)

    async def status(self, _: Request) -> Response:
        """Everything now."""
        told = await self._told.since(asyncio.get_running_loop().time())
        headers = {"etag": f'"{told.version}"'}
        return Response(told.text, media_type="application/json", headers=headers)

    async def routes(self, _: Request) -> Response:
        """All routes."""
        status = await self._controller.survey()
        routes = [route_plain(route) for route in status.routes]
        return json_response({"version": status.version, "routes": routes}, version=status.version)

    async def route(self, request: Request) -> Response:
        """One route."""
        route_id, brief = str(request.path_params["id"]), self._controller.brief()
        if (found := self._controller.route(route_id)) is None:
            raise ProblemError(no_route(route_id, list(brief.routes)))
        return json_response(route_plain(found), version=brief.version)

    async def route_report(self, request: Request) -> Response:
        """The evidence about a route."""
        return await self._reporting.answer(request, self._route_id(request))

    async def set_weight(self, request: Request) -> Response:
        """Give a route another weight."""
        route_id, wanted = self._route_id(request), schemas.read_weight_change(await _body(request))
        return await self._changed(
            request,
            lambda expected: self._controller.set_weight(
                route_id,
                wanted.weight,
                author=wanted.author,
                reason=wanted.reason,
                expected_version=expected,
            ),
        )

    async def preview(self, request: Request) -> Response:
        """Tell what another weight would do."""
        route_id, weight = self._route_id(request), schemas.read_weight(request.query_params)
        brief, route = self._controller.brief(), self._controller.route(route_id)
        if route is None:
            raise ProblemError(no_route(route_id, brief.routes))
        told = preview(route, weight, killed=brief.kill_switch)
        return json_response(told.to_plain(), version=brief.version)

    async def health(self, _: Request) -> Response:
        """Tell how the installation itself is."""
        return json_response(health(self._controller.reading()).to_plain())

    async def rollback(self, request: Request) -> Response:
        """Hold a route at 0."""
        return await self._of_route(request, self._controller.rollback)

    async def resume(self, request: Request) -> Response:
        """Let a rolled back route move again."""
        route_id, wanted = self._route_id(request), schemas.read_resumption(await _body(request))
        return await self._changed(
            request,
            lambda expected: self._controller.resume(
                route_id,
                author=wanted.author,
                reason=wanted.reason,
                weight=wanted.weight,
                force=wanted.force,
                expected_version=expected,
            ),
        )

    async def resume_writes(self, request: Request) -> Response:
        """Mirror the writes of a route again."""
        return await self._of_route(request, self._controller.resume_writes)

    async def deployed(self, request: Request) -> Response:
        """Take note of another release of modern."""
        wanted = schemas.read_change(await _body(request))
        return await self._changed(
            request,
            lambda expected: self._controller.deployed(
                author=wanted.author, reason=wanted.reason, expected_version=expected
            ),
        )

    async def advance(self, request: Request) -> Response:
        """Take the next step of a plan."""
        route_id, body = self._route_id(request), await _body(request)
        return await self._plans.advance(request, route_id, body, self._changed)

    async def hold(self, request: Request) -> Response:
        """Keep a plan where it is."""
        return await self._of_route(request, self._controller.hold)

    async def approve(self, request: Request) -> Response:
        """Agree that a plan leaves its step."""
        return await self._of_route(request, self._controller.approve)

    async def outcomes(self, request: Request) -> Response:
        """What routes saw by the minute."""
        return await self._plans.outcomes(request)

    async def series(self, request: Request) -> Response:
        """Give both sides over time."""
        route = request.query_params.get("route") or ""
        wanted = schemas.read_range(request.query_params)
        status = self._controller.brief()
        known = list(status.routes)
        if route and route not in known:
            raise ProblemError(no_route(route, known))
        found = await read_series(self._controller, wanted, status.at, route)
        return json_response(found.to_plain())

    async def pins(self, _: Request) -> Response:
        """List who is held on one side."""
        return await self._plans.pins()

    async def pin(self, request: Request) -> Response:
        """Hold an identity on one side."""
        return await self._plans.pin(request, await _body(request), self._changed)

    async def unpin(self, request: Request) -> Response:
        """Let an identity go."""
        return await self._plans.unpin(request, await _body(request), self._changed)

    async def set_kill_switch(self, request: Request) -> Response:
        """Turn the kill switch."""
        wanted = schemas.read_kill_switch(await _body(request))

        async def change(expected: int | None) -> VersionRecord:
            # The switch itself asks for no version: it must never lose a race. Who names one is
            # told, and may leave it out.
            if expected not in (None, current := self._controller.brief().version):
                raise ConflictError(f"the rules are at version {current}, not {expected}")
            return await self._controller.set_kill_switch(
                wanted.on, author=wanted.author, reason=wanted.reason
            )

        return await self._changed(request, change)

    async def versions(self, request: Request) -> Response:
        """Versions, newest first."""
        page = schemas.read_page(request.query_params)
        records = await self._controller.versions(limit=page.limit, before=page.before)
        more = len(records) == page.limit
        return json_response(
            {
                "versions": [version_plain(record) for record in records],
                "next_before": records[-1].number if more else None,
            }
        )

    async def version(self, request: Request) -> Response:
        """One version."""
        record = await self._controller.version(_path_number(request, "version"))
        return json_response(version_with_text_plain(record), version=record.number)

    async def version_diff(self, request: Request) -> Response:
        """What lies between two versions."""
        after = await self._controller.version(_path_number(request, "version"))
        against = schemas.read_number(request.query_params, "against")
        if against is None and after.parent == 0:
            raise NotFoundError(f"Version {after.number} is the first; name one with ?against=.")
        before = await self._controller.version(after.parent if against is None else against)
        diff = await asyncio.to_thread(version_diff, before, after)  # two documents are parsed
        return json_response(diff.to_plain())

    async def revert(self, request: Request) -> Response:
        """Put the document of a version in force again."""
        number = _path_number(request, "version")
        wanted = schemas.read_change(await _body(request))
        return await self._changed(
            request,
            lambda expected: self._controller.revert(
                number, author=wanted.author, reason=wanted.reason, expected_version=expected
            ),
        )

    async def export_rules(self, _: Request) -> Response:
        """Give the document in force."""
        record = await self._controller.version(self._controller.brief().version)
        etag = {"etag": f'"{record.number}"'}
        return Response(record.text, media_type="application/yaml", headers=etag)

    async def import_rules(self, request: Request) -> Response:
        """Put another document in force."""
        wanted = schemas.read_document(await _body(request, DOCUMENT_MAX))
        return await self._changed(
            request,
            lambda expected: self._controller.import_rules(
                wanted.text, author=wanted.author, reason=wanted.reason, expected_version=expected
            ),
        )

    async def check_rules(self, request: Request) -> Response:
        """What is wrong with a document, and what it would change."""
        text = schemas.read_draft(await _body(request, DOCUMENT_MAX))
        current = await self._controller.version(self._controller.brief().version)
        async with self._checking:  # a long one takes a while, and people ask at each pause
            return json_response((await asyncio.to_thread(check, text, current)).to_plain())

    async def decisions(self, request: Request) -> Response:
        """Read the journal, newest first."""
        page = schemas.read_page(request.query_params)
        records = await self._controller.decisions(
            limit=page.limit, route=request.query_params.get("route"), before=page.before
        )
        more = len(records) == page.limit
        return json_response(
            {
                "decisions": [decision_plain(record) for record in records],
                "next_before": records[-1].id if more else None,
            }
        )

    async def decision(self, request: Request) -> Response:
        """One decision."""
        record = await self._controller.decision(_path_number(request, "decision"))
        return json_response(decision_plain(record))

    async def audit(self, _: Request) -> Response:
        """Whether the journal is as it was written."""
        return json_response((await self._auditing.verify()).to_plain())

    async def accept_difference(self, request: Request) -> Response:
        """Make ignore rules of a group of differences."""
        return await self._about.accept(request, await _body(request), self._changed)

    async def accept_proposal(self, request: Request) -> Response:
        """Make a proposal a rule."""
        return await self._about.adopt(request, await _body(request), self._changed)

    async def fix_difference(self, request: Request) -> Response:
        """Say that a group of differences is mended."""
        return await self._about.fixed(request, await _body(request))

    async def recording(self, _: Request) -> Response:
        """What is recorded of the traffic."""
        return await self._recording.recording()

    async def start_recording(self, request: Request) -> Response:
        """Begin to record."""
        return await self._recording.start(request, await _body(request))

    async def stop_recording(self, request: Request) -> Response:
        """End the recording."""
        return await self._recording.stop(request, await _body(request))

    async def replays(self, _: Request) -> Response:
        """What was replayed from here."""
        return await self._replays.all()

    async def replay(self, request: Request) -> Response:
        """One replay."""
        return await self._replays.one(request)

    async def start_replay(self, request: Request) -> Response:
        """Begin to replay a recording."""
        return await self._replays.start(await _body(request))

    async def stop_replay(self, request: Request) -> Response:
        """End a replay."""
        return await self._replays.stop(request, await _body(request))

    async def accounts(self, _: Request) -> Response:
        """Who may ask."""
        return await self._accounts.accounts()

    async def add_account(self, request: Request) -> Response:
        """Add an account."""
        return await self._accounts.add(await _body(request))

    async def give_role(self, request: Request) -> Response:
        """Give an account another role."""
        return await self._accounts.give_role(request, await _body(request))

    async def remove_account(self, request: Request) -> Response:
        """Take an account away."""
        return await self._accounts.remove(request, await _body(request))

    async def settings(self, _: Request) -> Response:
        """What is in force, and where it is from."""
        return await self._accounts.settings()

    async def explain(self, request: Request) -> Response:
        """Which side would serve a request, and why."""
        wanted = schemas.read_request_to_explain(await _body(request))
        explanation = await self._explaining.explain(wanted)
        return json_response(explanation.to_plain())

    async def events(self, request: Request) -> Response:
        """Stream what happens."""
        if self._streams >= STREAMS_MAX:
            detail = f"{STREAMS_MAX} streams of events are open, which is the most."
            raise ProblemError(Problem(503, "busy", detail, "Poll /api/v1/status, or try again."))
        last_event_id = request.headers.get("last-event-id", "")
        return StreamingResponse(
            self._counted(event_stream(self._controller, self._told, last_event_id)),
            media_type="text/event-stream",
            headers={"x-accel-buffering": "no"},  # nginx would hold events back otherwise
        )

    async def openapi(self, _: Request) -> Response:
        """Give the OpenAPI document."""
        return Response(_openapi_bytes(), media_type="application/json")

    async def _changed(
        self, request: Request, change: Callable[[int | None], Awaitable[VersionRecord]]
    ) -> Response:
        """Make a change under If-Match; a conflict is answered with what the others changed."""
        expected = read_if_match(request.headers.getlist("if-match"))
        try:
            record = await change(expected)
        except ConflictError as error:
            raise ProblemError(await self._conflict(error, expected)) from error
        return json_response(version_plain(record), version=record.number)

    async def _of_route(self, request: Request, change: OfRoute) -> Response:
        """Make a change of one route of which only who and why is said."""
        route_id, wanted = self._route_id(request), schemas.read_change(await _body(request))
        return await self._changed(
            request,
            lambda expected: change(
                route_id, author=wanted.author, reason=wanted.reason, expected_version=expected
            ),
        )

    async def _conflict(self, error: ConflictError, expected: int | None) -> Problem:
        """Tell who changed what since the version that was named."""
        current = self._controller.brief().version
        extra: dict[str, Any] = {"current_version": current}
        mend = "Read the rules again, and repeat the change if it still fits."
        if expected is None:
            return Problem(409, "conflict", str(error), mend, extra)
        since = await self._controller.versions(limit=CHANGES_SHOWN)
        changes = extra["changes"] = [version_plain(v) for v in since if v.number > expected]
        told = "; ".join(f"{c['number']} by {c['author']}: {c['reason']}" for c in changes)
        detail = f"The rules are at version {current}, not {expected}. Since then: {told}"
        return Problem(412, "precondition-failed", detail if told else str(error), mend, extra)

    def _route_id(self, request: Request) -> str:
        route_id = str(request.path_params["id"])
        known = list(self._controller.brief().routes)
        if route_id not in known:
            raise ProblemError(no_route(route_id, known))
        return route_id

    async def _counted(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self._streams += 1
        try:
            async for chunk in stream:
                yield chunk
        finally:
            self._streams -= 1


def _by_method(functions: dict[str, Answer]) -> Answer:
    """Serve a path whose methods do different things; one route of it knows all that it allows."""

    async def answer(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await functions[method](request)

    return answer


def read_if_match(values: list[str]) -> int | None:
    """Read the version named by If-Match; None when any will do."""
    if not values or values == ["*"]:
        return None
    matched = _ETAG.fullmatch(values[0].strip()) if len(values) == 1 else None
    if matched is None:
        raise_for([Trouble("If-Match", "is not a version", 'Write one ETag, such as "12".')])
        return None
    return int(matched[1])


async def _body(request: Request, most: int = BODY_MAX) -> bytes:
    """Read a JSON body of bounded size."""
    if not is_json(request.headers):
        detail = "The body must be JSON."
        mend = "Send Content-Type: application/json."
        raise ProblemError(Problem(415, "not-json", detail, mend))
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            detail = f"The body is larger than {most} bytes."
            raise ProblemError(Problem(413, "too-large", detail))
    return bytes(body)


def _path_number(request: Request, what: str) -> int:
    text = str(request.path_params["number"])
    number = whole_number(text)
    if number is None:
        raise NotFoundError(f"There is no {what} {text!r}; they are numbered.")
    return number


@cache
def _openapi_bytes() -> bytes:
    return orjson.dumps(document())
