"""Jobs: what happens without a request, run by Celery over Redis.

    celery -A modern.infra.jobs worker      does what is due
    celery -A modern.infra.jobs beat        says when something is due

Run one beat and any number of workers.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from celery.schedules import crontab

from modern.infra.queue import broker
from modern.infra.resources import Resources, open_resources
from modern.infra.settings import read_settings
from shadow_compare.dry_run.tasks import DryRunCelery

WARM_EVERY_SECONDS = 240.0
TELL_EVERY_SECONDS = 30.0
RECOVER_EVERY_SECONDS = 60.0

Result = TypeVar("Result")

jobs = DryRunCelery(
    "billing", include=["modern.plans.tasks", "modern.payments.tasks", "modern.events.tasks"]
)


def configuration() -> dict[str, Any]:
    """Return Celery's configuration; read late, because importing this must not need settings."""
    settings = read_settings()
    return {
        **broker(settings),
        "broker_connection_retry_on_startup": True,
        # A job that a dying worker held is done again by another; so every job is idempotent.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_time_limit": 60,
        "worker_prefetch_multiplier": 1,
        "beat_schedule": {
            "warm the plans before the cache runs out": {
                "task": "plans.warm",
                "schedule": WARM_EVERY_SECONDS,
                # A beat that comes after the next one is of no use.
                "options": {"expires": WARM_EVERY_SECONDS},
            },
            "tell what has happened, should nobody have asked for it": {
                "task": "events.tell",
                "schedule": TELL_EVERY_SECONDS,
                "options": {"expires": TELL_EVERY_SECONDS},
            },
            "find out what the processor never answered": {
                "task": "payments.recover",
                "schedule": RECOVER_EVERY_SECONDS,
                "options": {"expires": RECOVER_EVERY_SECONDS},
            },
            **_billing(settings.billing_hour),
        },
    }


def _billing(hour: int | None) -> dict[str, Any]:
    """Return when the billing run is due by itself: never, until somebody says an hour (UTC)."""
    if hour is None:
        return {}
    return {"bill what is due": {"task": "billing.run", "schedule": crontab(minute=0, hour=hour)}}


jobs.add_defaults(configuration)


def run(work: Callable[[Resources], Awaitable[Result]]) -> Result:
    """Run asynchronous work with resources of its own, and close them; a job has no event loop."""

    async def inside() -> Result:
        resources = open_resources(read_settings())
        try:
            return await work(resources)
        finally:
            await resources.close()

    return asyncio.run(inside())
