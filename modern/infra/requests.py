"""What surrounds every request: its id, its line in the log, its time, and the last resort."""

import re
from collections.abc import Callable
from time import perf_counter
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from modern.infra.logging import get_logger
from modern.infra.metrics import Metrics
from shadow_compare.dry_run import is_dry_run

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
# Asked every few seconds by machines: counted like the others, not worth a line.
_QUIET = frozenset({"/health", "/metrics"})

_log = get_logger(__name__)


class RequestScope:
    """ASGI middleware; `last_resort` makes the answer when the application raises."""

    def __init__(
        self, app: ASGIApp, metrics: Metrics, last_resort: Callable[[Request], Response]
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._last_resort = last_resort

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application inside the scope of one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        with bound_contextvars(request_id=request_id):
            await self._run(scope, receive, send)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception:
            _log.exception("request.failed", method=scope["method"], path=scope["path"])
            if status:
                raise  # the head is out: only breaking the connection tells the client
            await self._last_resort(Request(scope))(scope, receive, watch)
        finally:
            self._record(scope, status, perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        # The pattern of the route, not the path: a label per user would never stop growing.
        route = getattr(scope.get("route"), "path", "unmatched")
        if not is_dry_run():
            self._metrics.request_duration.labels(scope["method"], route, status).observe(seconds)
        if scope["path"] not in _QUIET:
            _log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                duration_ms=round(seconds * 1000, 2),
                **({"dry_run": True} if is_dry_run() else {}),
            )


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given: str = value.decode("latin-1")
            if _REQUEST_ID.fullmatch(given):
                return given
    return uuid4().hex
