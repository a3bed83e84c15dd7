"""The composition root: settings in, application out.

uvicorn --factory modern.app:create_app
"""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any

from fastapi import FastAPI

from modern.billing import endpoints as billing
from modern.compat import endpoints as compat
from modern.failures import last_resort, map_failures
from modern.infra.clock import Clock, utc_now
from modern.infra.faults import Faults
from modern.infra.logging import configure_logging, get_logger
from modern.infra.paths import WholePaths
from modern.infra.requests import RequestScope
from modern.infra.resources import open_resources
from modern.infra.schemas import ProblemSchema
from modern.infra.settings import Settings, read_settings
from modern.monitoring import endpoints as monitoring
from modern.payments import endpoints as payments
from modern.plans import endpoints as plans
from modern.subscriptions import endpoints as subscriptions
from modern.users import endpoints as users
from shadow_compare.dry_run import DryRun, DryRunMiddleware

DESCRIPTION = """
Plans, users, subscriptions, charges and payments of the billing core. Reading only: what writes
comes with the login that says who writes. Errors are problem details (RFC 9457).
"""

_ROUTERS = (
    compat.router,
    monitoring.router,
    plans.router,
    users.router,
    subscriptions.router,
    billing.router,
    payments.router,
)

ROUTES = tuple(chain.from_iterable(router.routes for router in _ROUTERS))

_PROBLEM: dict[str, Any] = {
    "model": ProblemSchema,
    "content": {"application/problem+json": {}},
}


def create_app(settings: Settings | None = None, now: Clock = utc_now) -> FastAPI:
    """Return the application; settings not given come from the environment.

    Nothing connects here. Ending the lifespan closes what requests have opened.
    """
    configure_logging()
    resources = open_resources(settings or read_settings(), now)
    log = get_logger(__name__)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        log.info("app.started", settings=resources.settings.get_masked_config())
        yield
        await resources.close()
        log.info("app.stopped")

    app = FastAPI(
        title="Billing core",
        description=DESCRIPTION,
        version="1",
        openapi_url="/v1/openapi.json",
        docs_url=None,  # their pages load scripts from a foreign host
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        responses={404: _PROBLEM | {"description": "There is no such thing"}},
    )
    app.state.resources = resources
    for router in _ROUTERS:
        app.include_router(router)
    map_failures(app, ROUTES)
    app.add_middleware(WholePaths)
    if resources.settings.modern_faults:
        app.add_middleware(Faults)
    app.add_middleware(RequestScope, metrics=resources.metrics, last_resort=last_resort)
    # The last, so outermost: the answer that it acknowledges is the one that leaves.
    app.add_middleware(DryRunMiddleware, key=_shadow_key(resources.settings), ended=_tell_dry_run)
    return app


def _shadow_key(settings: Settings) -> str | None:
    key = settings.cutover_shadow_key
    return None if key is None else key.get_secret_value()


def _tell_dry_run(run: DryRun) -> None:
    kinds = Counter(effect.kind for effect in run.effects)
    get_logger(__name__).info("dry_run.ended", id=run.id, effects=kinds)
