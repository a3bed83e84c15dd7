"""The requests of monitoring; health is spelt by the legacy-shaped face, in `compat`."""

from fastapi import APIRouter
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response

from modern.infra.resources import Held

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def metrics(held: Held) -> Response:
    """Answer with the metrics, in the text format of Prometheus."""
    return Response(held.metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})
