from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from modern.app import create_app
from modern.infra.settings import Settings

FAULT = {"path": "/api/plans", "mode": "error"}


@pytest.fixture
async def demonstrated(app: FastAPI, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of an application with the fault switch; the rows are those of the tests."""
    del app  # it has filled the database
    with_faults = create_app(settings.model_copy(update={"modern_faults": True}))
    transport = httpx.ASGITransport(with_faults, raise_app_exceptions=False)
    async with (
        with_faults.router.lifespan_context(with_faults),
        httpx.AsyncClient(transport=transport, base_url="http://modern") as client,
    ):
        yield client


@pytest.mark.parametrize("method", ["PUT", "DELETE", "GET"])
async def test_without_the_variable_there_is_no_switch(
    client: httpx.AsyncClient, method: str
) -> None:
    """Its path is as unknown as any other."""
    answer = await client.request(method, "/_faults", json=FAULT)
    assert (answer.status_code, answer.json()["message"]) == (404, "Not found")


async def test_a_fault_fails_like_a_real_failure(demonstrated: httpx.AsyncClient) -> None:
    """One path answers 500 in the words of its face, until it is mended."""
    assert (await demonstrated.put("/_faults", json=FAULT)).status_code == 200
    broken = await demonstrated.get("/api/plans")
    assert (broken.status_code, broken.json()["message"]) == (500, "Internal error")
    assert (await demonstrated.get("/api/plans/1")).status_code == 200
    await demonstrated.delete("/_faults")
    assert (await demonstrated.get("/api/plans")).status_code == 200


async def test_a_failing_path_is_measured(demonstrated: httpx.AsyncClient) -> None:
    """The metrics of the demonstration show what the proxy sees."""
    await demonstrated.put("/_faults", json=FAULT)
    await demonstrated.get("/api/plans")
    metrics = (await demonstrated.get("/metrics")).text
    assert (
        'http_request_duration_seconds_count{method="GET",route="unmatched",status="500"} 1.0'
        in (metrics)
    )


async def test_wrong_answers_are_well_formed(demonstrated: httpx.AsyncClient) -> None:
    """Only a comparison finds them."""
    true = (await demonstrated.get("/api/plans")).json()["data"]
    await demonstrated.put("/_faults", json=FAULT | {"mode": "wrong"})
    wrong = await demonstrated.get("/api/plans")
    assert wrong.status_code == 200
    assert [plan["price"] - 1 for plan in wrong.json()["data"]] == [
        pytest.approx(plan["price"]) for plan in true
    ]
