"""The application as a process of its own, under uvicorn."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from deploy.stack import Database
from deploy.stack.modern import Modern, modern_environment
from deploy.stack.ports import free_ports
from deploy.stack.redis import Redis
from modern.infra.resources import Resources
from tests.support import eventually_async

WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")


@pytest.fixture
def process(
    app: FastAPI, billing_database: Database, redis_server: Redis, tmp_path: Path
) -> Iterator[Modern]:
    """Give the application, running on the rows of these tests."""
    del app  # it has filled the database
    environment = modern_environment(
        billing_database.sqlalchemy_url, redis_server.url(7), "0123456789abcdef"
    )
    modern = Modern(tmp_path, free_ports(1)[0], environment, tied=True)
    modern.start()
    yield modern
    modern.stop()


def test_a_connection_serves_many_requests(process: Modern) -> None:
    """Keep-alive: the second request goes over the connection of the first."""
    with httpx.Client(base_url=f"http://{process.address}") as client:
        ports = {
            client.get(path).extensions["network_stream"].get_extra_info("client_addr")
            for path in ("/api/plans", "/api/users/1", "/v1/nothing", "/health")
        }
    assert len(ports) == 1


async def test_a_request_under_way_is_finished_before_the_end(
    process: Modern, resources: Resources
) -> None:
    """SIGTERM closes the door and lets those inside finish; then the connections are closed."""
    with ThreadPoolExecutor(2) as threads:
        async with resources.database.writing() as connection:
            await connection.execute(text("SELECT 1 FROM subscriptions WHERE id = 1 FOR UPDATE"))
            url = f"http://{process.address}/api/subscriptions/1/cancel"
            answer = threads.submit(httpx.post, url, timeout=30)
            await eventually_async(lambda: waits_for_a_row(resources))
            stopped = threads.submit(process.stop)
            await eventually_async(lambda: has_closed_the_door(process))
        assert answer.result().json()["data"]["status"] == "cancelled"
        stopped.result()
    assert '"event":"app.stopped"' in process.process.log.read_text()
    assert not process.running()


async def waits_for_a_row(resources: Resources) -> bool:
    """Say whether a transaction waits for another."""
    async with resources.database.reading() as connection:
        return bool(await connection.scalar(WAITING))


async def has_closed_the_door(process: Modern) -> bool:
    """Say whether the process takes no more connections."""
    try:
        async with httpx.AsyncClient() as client:
            await client.get(f"http://{process.address}/v1/nothing")
    except httpx.TransportError:
        return True
    return False
