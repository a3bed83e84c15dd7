"""The admin application: the API, the console, metrics and health, behind one gatekeeper."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from proxy.admin.account_endpoints import AccountEndpoints
from proxy.admin.account_guard import AccountGuard
from proxy.admin.accounts import Accounts
from proxy.admin.api import Answer, Api
from proxy.admin.auditing import Audit, Auditing
from proxy.admin.auth import Gatekeeper, Guard, secure
from proxy.admin.console.admin_pages import Administered
from proxy.admin.console.history import History
from proxy.admin.console.views import console_routes
from proxy.admin.explaining import Explaining
from proxy.admin.interfaces import Controller, Report
from proxy.admin.people import People
from proxy.admin.problems import Problem, problem_of
from proxy.admin.replaying import Replaying
from proxy.admin.responses import problem_response
from proxy.control.audit import Verdict
from proxy.errors import CutoverError, RefusedError
from proxy.settings import AdminSettings

_STATUS_KINDS = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}


def create_admin_app(
    controller: Controller,
    report: Report,
    settings: AdminSettings,
    metrics: Callable[[], Awaitable[bytes]],
    mint_key: bytes = b"",
    override_key: bytes = b"",
    audit: Audit | None = None,
) -> Starlette:
    """Put the admin application together; its keys sign cookies and overrides, to explain them.

    `audit` verifies the journal; without it that is refused.

    Raises SettingsError when the API would listen beyond loopback without authentication, and it or
    RulesError when the file of accounts cannot be used.
    """
    settings.validate()
    history = History()
    guard = None if settings.accounts is None else account_guard(settings.accounts)
    explaining = Explaining(controller, mint_key, override_key)
    auditing = Auditing(audit or _no_audit)
    replaying = Replaying(controller)
    people = People(controller, guard, settings.accounts)
    accounts = AccountEndpoints(people, settings.origins)
    return Starlette(
        routes=[
            *Api(controller, report, explaining, auditing, accounts, replaying).routes_of_app(),
            Route("/metrics", _measured(metrics)),
            Route("/livez", _livez),
            Route("/readyz", _ready(controller)),
            *console_routes(
                controller,
                report,
                history,
                guard,
                explaining,
                Administered(people, auditing, settings.origins),
                replaying,
            ),
        ],
        middleware=[Middleware(Gatekeeper, guard=guard or Guard(settings.token))],
        exception_handlers={
            CutoverError: _on_error,
            HTTPException: _on_http_error,
            Exception: _on_crash,
        },
        lifespan=lambda _: history.watched(controller),
    )


async def _no_audit() -> Verdict:
    raise RefusedError("there is no journal here that could be verified")


def account_guard(file: Path) -> AccountGuard:
    """Let in by the accounts of a file; raises SettingsError or RulesError."""
    accounts = Accounts(file)
    accounts.load()
    return AccountGuard(accounts, time.monotonic)


# Coroutines all: Starlette runs any other function in a thread, beside the loop that the controller
# lives in, where what is read changes under the reader.


async def _livez(_: Request) -> Response:
    return PlainTextResponse("alive\n")


def _measured(metrics: Callable[[], Awaitable[bytes]]) -> Answer:
    async def answer(_: Request) -> Response:
        return Response(await metrics(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return answer


def _ready(controller: Controller) -> Answer:
    """Ready means: there are rules in force to show and to change."""

    async def answer(_: Request) -> Response:
        version = controller.brief().version
        if version > 0:
            return PlainTextResponse(f"ready: rules version {version}\n")
        return PlainTextResponse("not ready: no rules are in force yet\n", status_code=503)

    return answer


async def _on_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, CutoverError):
        raise error
    return problem_response(problem_of(error), request.url.path)


async def _on_http_error(request: Request, error: Exception) -> Response:
    """Answer what the router itself refuses; a person in a browser gets a sentence."""
    if not isinstance(error, HTTPException):
        raise error
    detail = str(error.detail)
    if "text/html" in request.headers.get("accept", ""):
        return PlainTextResponse(f"{detail}\n", error.status_code, headers=error.headers)
    kind = _STATUS_KINDS.get(error.status_code, "invalid-request")
    problem = Problem(error.status_code, kind, f"{detail}: {request.method} {request.url.path}")
    return problem_response(problem, request.url.path, dict(error.headers or {}))


async def _on_crash(request: Request, _: Exception) -> Response:
    """Answer for an error nobody foresaw; the server logs it, the client learns nothing of it."""
    problem = Problem(500, "internal", "The request could not be carried out; see the log.")
    response = problem_response(problem, request.url.path)
    secure(MutableHeaders(raw=response.raw_headers), request.url.path)  # outside the gatekeeper
    return response
