"""Errors of the clean API: problem details (RFC 9457)."""

from http import HTTPStatus

import orjson
from starlette.requests import Request
from starlette.responses import Response

from modern.errors import Invalid, NotFound, Refusal

MEDIA_TYPE = "application/problem+json"


def problem(request: Request, status: int, detail: str | None = None, **more: object) -> Response:
    """Return one problem; its type is about:blank, so its title is that of the status (4.2.1)."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        "request_id": getattr(request.state, "request_id", None),
        **more,
    }
    given = {name: value for name, value in document.items() if value is not None}
    return Response(orjson.dumps(given), status, media_type=MEDIA_TYPE)


def refusal_problem(request: Request, refusal: Refusal) -> Response:
    """Return the problem that a refusal is."""
    if isinstance(refusal, NotFound):
        return problem(request, HTTPStatus.NOT_FOUND, str(refusal))
    if isinstance(refusal, Invalid):
        errors = [{"field": field, "detail": what} for field, what in refusal.errors.items()]
        return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, str(refusal), errors=errors)
    return problem(request, HTTPStatus.CONFLICT, str(refusal))
