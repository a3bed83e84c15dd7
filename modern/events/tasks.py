"""The jobs of events."""

from modern.events.flow import tell_all
from modern.infra.jobs import jobs, run
from modern.infra.resources import Resources


@jobs.task(name="events.tell")  # type: ignore[untyped-decorator] # Celery ships no types
def tell() -> None:
    """Tell everything that has happened and was not told yet."""
    run(_tell)


async def _tell(resources: Resources) -> None:
    await tell_all(resources)
