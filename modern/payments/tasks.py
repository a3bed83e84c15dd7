"""The jobs of payments."""

from modern.infra.jobs import jobs, run
from modern.infra.resources import Resources
from modern.payments import flow

RUN_SECONDS = 3000
"""A billing run that takes longer is ended, and goes on with the next; Redis gives a job to another
worker after an hour, whatever the first one does."""


@jobs.task(name="billing.run", time_limit=RUN_SECONDS)  # type: ignore[untyped-decorator] # Celery ships no types
def bill() -> None:
    """Bill every cycle that is due, and have every pending charge paid."""
    run(flow.run_all_billing)


@jobs.task(name="payments.recover")  # type: ignore[untyped-decorator] # Celery ships no types
def recover() -> None:
    """Find out what the processor did when it gave no answer."""
    run(_recover)


async def _recover(resources: Resources) -> None:
    await flow.recover(resources)
