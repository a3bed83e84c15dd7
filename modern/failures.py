"""Everything that can go wrong with a request, mapped to an answer in this one place.

Paths under /v1 are answered with problem details, all others in the envelope of the legacy face.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from modern.compat import envelope
from modern.errors import Refusal
from modern.infra.problem import problem, refusal_problem

# Words of the contract where they are not those of HTTP.
_FACE_MESSAGES = {404: "Not found", 405: "Method not allowed"}


def map_failures(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Have the application answer refusals, and what its framework refuses; knows the routes."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)  # noqa: S101 # registered for this class
        return refusal_problem(request, error) if is_clean(request) else envelope.refusal(error)

    async def not_served(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 # registered for this class
        headers = {"Allow": allowed(routes, request)} if error.status_code == 405 else None
        return http_failure(request, error.status_code, str(error.detail), headers)

    async def not_valid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 # registered for this class
        errors = [_field_error(found) for found in error.errors()]
        return problem(request, 422, "Validation failed", errors=errors)

    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(HTTPException, not_served)
    app.add_exception_handler(RequestValidationError, not_valid)


def is_clean(request: Request) -> bool:
    """Return whether the request is for the clean API."""
    path = request.url.path
    return path == "/v1" or path.startswith("/v1/")


def allowed(routes: Sequence[BaseRoute], request: Request) -> str:
    """Return the methods that the path has, over all of its routes, for `Allow`.

    The framework names those of the first route only, where RFC 9110 10.2.1 wants all.
    """
    methods: dict[str, None] = {}
    for route in routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= dict.fromkeys(sorted(getattr(route, "methods", ())))
    return ", ".join(methods)


def http_failure(
    request: Request, status: int, detail: str, headers: dict[str, str] | None
) -> Response:
    """Return the answer to a request that the framework refused."""
    if is_clean(request):
        response = problem(request, status, detail)
        response.headers.update(headers or {})
        return response
    return envelope.failure(status, _FACE_MESSAGES.get(status, detail), headers)


def last_resort(request: Request) -> Response:
    """Return the answer when the application has failed; it tells nothing of how."""
    if is_clean(request):
        return problem(request, 500)
    return envelope.failure(500, "Internal error")


def _field_error(found: dict[str, Any]) -> dict[str, str]:
    where, *names = found["loc"]
    return {
        "in": str(where),
        "field": ".".join(str(name) for name in names),
        "detail": found["msg"],
    }
