import json

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from modern.failures import allowed, http_failure, is_clean, last_resort


async def endpoint(request: Request) -> Response:
    """Answer nothing."""
    return Response(request.method)


ROUTES = [
    Route("/api/users", endpoint, methods=["POST"]),
    Route("/api/users/{id:int}", endpoint, methods=["GET"]),
    Route("/api/users/{id:int}", endpoint, methods=["PUT"]),
]


def request(path: str, method: str = "DELETE") -> Request:
    """Make a request."""
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
    return Request(scope)


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/api/users", "POST"), ("/api/users/17", "GET, HEAD, PUT"), ("/api/other", "")],
)
def test_a_path_allows_the_methods_of_all_its_routes(path: str, methods: str) -> None:
    """Reading and changing are two routes of one path."""
    assert allowed(ROUTES, request(path)) == methods


@pytest.mark.parametrize(
    ("path", "clean"),
    [("/v1", True), ("/v1/plans", True), ("/v10/plans", False), ("/api/v1/", False), ("/", False)],
)
def test_the_clean_api_lives_under_v1(path: str, *, clean: bool) -> None:
    """Everything else is the legacy face's."""
    assert is_clean(request(path)) is clean


def test_each_face_fails_in_its_own_words() -> None:
    """The same failure, as an envelope and as a problem."""
    face, clean = last_resort(request("/api/plans")), last_resort(request("/v1/plans"))
    assert (face.status_code, clean.status_code) == (500, 500)
    assert json.loads(bytes(face.body)) == {"status": "error", "message": "Internal error"}
    assert json.loads(bytes(clean.body))["title"] == "Internal Server Error"


def test_what_the_framework_refuses_is_told_in_the_words_of_the_contract() -> None:
    """The framework would say it with other capitals."""
    refused = http_failure(request("/api/users"), 405, "Method Not Allowed", {"Allow": "POST"})
    assert json.loads(bytes(refused.body))["message"] == "Method not allowed"
    assert refused.headers["allow"] == "POST"
