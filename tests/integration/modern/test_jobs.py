from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from deploy.stack import Database
from deploy.stack.celery import CeleryWorker
from deploy.stack.modern import modern_environment
from deploy.stack.program import run
from deploy.stack.redis import Redis
from modern.infra.resources import Resources
from modern.plans.service import PlanService
from modern.plans.tables import subscription_plans
from tests.support import eventually_async


@pytest.fixture(scope="module")
def environment(billing_database: Database, redis_server: Redis) -> dict[str, str]:
    """Give the environment of the application under test and of its jobs."""
    return modern_environment(
        billing_database.sqlalchemy_url, redis_server.url(7), "0123456789abcdef"
    )


@pytest.fixture(scope="module")
def worker(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CeleryWorker]:
    """Give a running worker."""
    worker = CeleryWorker(Path(tmp_path_factory.mktemp("jobs")), environment, tied=True)
    worker.start()
    yield worker
    worker.stop()


def call(environment: dict[str, str], job: str) -> None:
    """Send a job, as an operator would."""
    run([sys.executable, "-m", "celery", "-A", "modern.infra.jobs", "call", job], env=environment)


@pytest.mark.usefixtures("worker")
async def test_warming_fills_an_empty_cache(
    resources: Resources, environment: dict[str, str]
) -> None:
    """After the job the first request finds the plans."""
    call(environment, "plans.warm")
    await eventually_async(lambda: resources.redis.exists("billing:cache:plans"))


@pytest.mark.usefixtures("worker")
async def test_refreshing_brings_a_change_to_the_readers(
    resources: Resources, environment: dict[str, str]
) -> None:
    """Whoever changed plans in the database need not wait five minutes."""
    plans = PlanService(resources.database, resources.cache)
    assert (await plans.read(1)).price.minor == 990
    async with resources.database.writing() as connection:
        await connection.execute(
            update(subscription_plans).where(subscription_plans.c.id == 1).values(price_minor=1)
        )
    call(environment, "plans.refresh")

    async def is_cheap() -> bool:
        return (await plans.read(1)).price.minor == 1

    await eventually_async(is_cheap)
