"""The jobs of plans."""

from modern.infra.jobs import jobs, run
from modern.infra.resources import Resources
from modern.plans.service import PlanService


@jobs.task(name="plans.warm")  # type: ignore[untyped-decorator] # Celery ships no types
def warm() -> None:
    """Put the catalogue into the cache before the value there runs out."""
    run(_warm)


@jobs.task(name="plans.refresh")  # type: ignore[untyped-decorator] # Celery ships no types
def refresh() -> None:
    """Replace the cached catalogue, after plans were changed in the database directly."""
    run(_refresh)


async def _warm(resources: Resources) -> None:
    await PlanService(resources.database, resources.cache).warm()


async def _refresh(resources: Resources) -> None:
    plans = PlanService(resources.database, resources.cache)
    await plans.expire()
    await plans.warm()
