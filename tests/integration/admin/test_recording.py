"""Recording traffic by the API."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support_admin import RunningAdmin, running_admin

CHANGE = {"author": "ada", "reason": "a test"}
START, STOP, READ = (f"/api/v1/recording{end}" for end in ("/start", "/stop", ""))


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningAdmin]:
    """Give an application for all of these tests."""
    with running_admin() as running:
        yield running


@pytest.fixture
def admin(shared: RunningAdmin) -> RunningAdmin:
    """Give it with nothing being recorded."""
    shared.controller.orders.order = None
    shared.controller.recordings.follow()
    return shared


@pytest.fixture
def http(admin: RunningAdmin) -> Iterator[httpx.Client]:
    """Give a client of it."""
    with httpx.Client(base_url=admin.url) as client:
        yield client


def test_a_recording_is_started_read_and_stopped(admin: RunningAdmin, http: httpx.Client) -> None:
    """Its id is the ETag of what is read; the journal has who did it and why."""
    assert http.get(READ).headers["etag"] == '"none"'
    wanted = {"routes": ["plans"], "share": 10, "seconds": 3600, **CHANGE}
    started = http.post(START, json=wanted, headers={"If-Match": '"none"'})
    assert started.status_code == 200, started.text
    told = started.json()["recording"]
    assert (told["routes"], told["share"], told["author"]) == (["plans"], 0.1, "ada")
    assert started.headers["etag"] == f'"{told["id"]}"'
    assert http.get(READ).json()["recording"] == told
    assert http.get("/api/v1/status").json()["recording"] == told
    stopped = http.post(STOP, json=CHANGE, headers={"If-Match": started.headers["etag"]})
    assert (stopped.json()["recording"], stopped.headers["etag"]) == (None, '"none"')
    begun, ended = admin.controller.journal[-2:]
    assert (begun.action, begun.author, begun.reason) == ("record", "ada", "a test")
    assert (ended.action, ended.author, ended.reason) == ("record_end", "ada", "a test")


def test_nobody_takes_another_ones_recording_away(http: httpx.Client) -> None:
    """Neither by starting, nor by stopping what was looked at a while ago."""
    first = http.post(START, json=CHANGE).json()["recording"]
    again = http.post(START, json=CHANGE)
    assert (again.status_code, again.json()["type"]) == (409, "urn:cutover:problem:refused")
    assert "ada records already" in again.json()["detail"]
    late = http.post(START, json=CHANGE, headers={"If-Match": '"none"'})
    assert (late.status_code, late.json()["recording"]) == (412, first)
    old = http.post(STOP, json=CHANGE, headers={"If-Match": '"20200101T000000Z"'})
    assert (old.status_code, old.json()["recording"]) == (412, first)
    assert http.get(READ).json()["recording"] == first


def test_what_is_not_running_is_not_stopped(http: httpx.Client) -> None:
    """And that is told."""
    answer = http.post(STOP, json=CHANGE)
    assert (answer.status_code, "nothing is being recorded" in answer.text) == (409, True)


def test_a_route_that_there_is_not_is_told(http: httpx.Client) -> None:
    """As wherever a route is named."""
    answer = http.post(START, json={"routes": ["plan"], **CHANGE})
    assert answer.status_code == 404
    assert answer.json()["suggestion"] == "plans"
