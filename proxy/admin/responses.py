"""Answers of the API: JSON, and problems."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

from proxy.admin.problems import Problem

PROBLEM_TYPE = "application/problem+json"


def json_response(plain: Any, version: int | None = None) -> Response:
    """Answer with JSON; the version of the rules it shows is its ETag."""
    headers = {} if version is None else {"etag": f'"{version}"'}
    return Response(orjson.dumps(plain), media_type="application/json", headers=headers)


def problem_response(
    problem: Problem, instance: str, headers: dict[str, str] | None = None
) -> Response:
    """Answer with a problem; `instance` is the path that was asked for."""
    return Response(
        orjson.dumps(problem.to_plain(instance)),
        status_code=problem.status,
        media_type=PROBLEM_TYPE,
        headers=headers,
    )
