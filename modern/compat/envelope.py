"""Answers of this face: data, pages and errors in their envelope."""

from collections.abc import Sequence
from datetime import datetime

import orjson
from starlette.responses import Response

from modern.compat.spelling import Json, instant
from modern.errors import Invalid, Refusal

PER_PAGE = 20
_MEDIA_TYPE = "application/json; charset=utf-8"


def answer(content: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return the content as JSON, non-ASCII as it is."""
    return Response(orjson.dumps(content), status, headers, media_type=_MEDIA_TYPE)


def success(data: object, status: int = 200) -> Response:
    """Answer with data."""
    return answer({"status": "ok", "data": data}, status)


def listing(data: Sequence[Json], meta: Json) -> Response:
    """Answer with a list and what is to be said of it."""
    return answer({"status": "ok", "data": data, "meta": meta})


def page_meta(page: int, total: int, now: datetime) -> Json:
    """Return the meta of one page."""
    return {"page": page, "per_page": PER_PAGE, "total": total, "generated_at": instant(now)}


def failure(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """Answer with an error."""
    return answer({"status": "error", "message": message}, status, headers)


def refusal(reason: Refusal) -> Response:
    """Answer with a refusal: 422 for wrong input; else 200, as clients have come to expect."""
    content: Json = {"status": "error", "message": str(reason)}
    if isinstance(reason, Invalid):
        return answer({**content, "errors": reason.errors}, 422)
    return answer(content)
