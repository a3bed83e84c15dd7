"""The console's addresses: every page, every form, and the static files."""

from __future__ import annotations

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from proxy.admin.account_guard import AccountGuard
from proxy.admin.auditing import Auditing
from proxy.admin.console.actions import Actions
from proxy.admin.console.admin_pages import Administered, AdminPages
from proxy.admin.console.difference_actions import DifferenceActions
from proxy.admin.console.difference_pages import DifferencePages
from proxy.admin.console.history import History
from proxy.admin.console.login import Login
from proxy.admin.console.pages import Pages
from proxy.admin.console.past import Past
from proxy.admin.console.recording import ADDRESS, RecordingPage
from proxy.admin.console.render import STATIC, Renderer
from proxy.admin.console.replay_pages import ReplayPages
from proxy.admin.console.report_pages import ReportPages
from proxy.admin.console.route_pages import RoutePages
from proxy.admin.console.rules_actions import RulesActions
from proxy.admin.console.rules_pages import RulesPages
from proxy.admin.console.seal import Seal
from proxy.admin.console.sending import Sending
from proxy.admin.console.steering import Steering
from proxy.admin.deciding import Deciding
from proxy.admin.explaining import Explaining
from proxy.admin.interfaces import Controller, Report
from proxy.admin.people import People
from proxy.admin.principal import LOGIN, LOGOUT
from proxy.admin.replaying import Replaying
from proxy.admin.reporting import Reporting
from proxy.control.audit import Verdict
from proxy.errors import RefusedError


def console_routes(
    controller: Controller,
    report: Report,
    history: History | None = None,
    guard: AccountGuard | None = None,
    explaining: Explaining | None = None,
    administered: Administered | None = None,
    replaying: Replaying | None = None,
) -> list[BaseRoute]:
    """Build the console's routes, to be mounted at the root of the admin application.

    Give a `history` that is fed all the time (`History.watch`) to have charts filled from the
    start; without one they fill while somebody looks. With accounts there is a `guard`, by which
    somebody signs in.
    """
    renderer = Renderer(Seal())
    past = Past(controller)
    pages = Pages(controller, history or History(), renderer, past)
    routes = RoutePages(controller, report, renderer, past)
    sending = Sending(controller, renderer)
    actions = Actions(controller, pages, routes, sending)
    compared = DifferencePages(controller, report, renderer, pages.status)
    steering = Steering(
        controller, renderer, sending, explaining or Explaining(controller, b"", b"")
    )
    recording = RecordingPage(controller, renderer, sending)
    rules = RulesPages(controller, renderer)
    written = RulesActions(controller, rules, sending)
    reports = ReportPages(controller, Reporting(controller, report), renderer)
    administration = AdminPages(controller, renderer, sending, administered or _nothing(controller))
    replays = ReplayPages(controller, replaying or Replaying(controller), renderer, sending)
    decided = DifferenceActions(Deciding(controller, report), compared, sending)
    return [
        Route("/", pages.overview),
        Route("/routes/{route_id:path}/weight", actions.set_weight, methods=["POST"]),
        Route("/routes/{route_id:path}/rollback", actions.rollback, methods=["POST"]),
        Route("/routes/{route_id:path}/resume", actions.resume, methods=["POST"]),
        Route("/routes/{route_id:path}/plan", actions.plan, methods=["POST"]),
        Route("/routes/{route_id:path}/resume-writes", actions.resume_writes, methods=["POST"]),
        Route("/routes/{route_id:path}", routes.route),
        Route("/reports/{route_id:path}", reports.report),
        Route("/history", routes.history),
        Route("/differences", compared.differences),
        Route("/differences/proposals/{proposal}", compared.proposal),
        Route("/differences/proposals/{proposal}/adopt", decided.adopt, methods=["POST"]),
        Route("/differences/decide", decided.decide, methods=["POST"]),
        Route("/differences/{signature:path}/acceptance", compared.acceptance),
        Route("/differences/{signature:path}/accept", decided.accept, methods=["POST"]),
        Route("/differences/{signature:path}/fixed", decided.fixed, methods=["POST"]),
        Route("/differences/{signature:path}", compared.difference),
        Route("/decisions", pages.decisions),
        Route("/decisions/{number:int}", pages.decision),
        Route("/rules", rules.rules),
        Route("/rules/{number:int}", rules.rules_version),
        Route("/rules/{number:int}/revert", written.revert, methods=["POST"]),
        Route("/rules/compare", rules.compare),
        Route("/rules/edit", rules.edit),
        Route("/rules/edit", written.save, methods=["POST"]),
        Route("/rules/edit/check", written.check, methods=["POST"]),
        Route("/rules/edit/review", written.review, methods=["POST"]),
        Route(ADDRESS, recording.page),
        Route(f"{ADDRESS}/start", recording.start, methods=["POST"]),
        Route(f"{ADDRESS}/stop", recording.stop, methods=["POST"]),
        Route("/pins", steering.pins),
        Route("/pins/add", steering.pin, methods=["POST"]),
        Route("/pins/remove", steering.unpin, methods=["POST"]),
        Route("/explain", steering.explain, methods=["GET", "POST"]),
        Route("/hosts", steering.hosts),
        Route("/jump", steering.jump),
        Route("/replays", replays.replays),
        Route("/replays", replays.start, methods=["POST"]),
        Route("/replays/{replay}", replays.replay),
        Route("/replays/{replay}/report", replays.report),
        Route("/replays/{replay}/stop", replays.stop, methods=["POST"]),
        Route("/audit", administration.audit),
        Route("/audit/verify", administration.verify),
        Route("/settings", administration.settings),
        Route("/accounts", administration.accounts),
        Route("/accounts", administration.add, methods=["POST"]),
        Route("/accounts/{name}/role", administration.give_role, methods=["POST"]),
        Route("/accounts/{name}/remove", administration.remove, methods=["POST"]),
        Route("/kill-switch", pages.kill_switch),
        Route("/kill-switch", actions.kill_switch, methods=["POST"]),
        Mount("/static", StaticFiles(directory=STATIC)),
        *([] if guard is None else _login_routes(Login(renderer, guard))),
    ]


def _nothing(controller: Controller) -> Administered:
    async def no_audit() -> Verdict:
        raise RefusedError("there is no journal here that could be verified")

    return Administered(People(controller, None, None), Auditing(no_audit), ())


def _login_routes(login: Login) -> list[BaseRoute]:
    return [
        Route(LOGIN, login.page),
        Route(LOGIN, login.sign_in, methods=["POST"]),
        Route(LOGOUT, login.sign_out, methods=["POST"]),
    ]
