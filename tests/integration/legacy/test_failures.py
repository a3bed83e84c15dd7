from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from deploy.stack.apache import Apache
from deploy.stack.database import Database
from deploy.stack.ports import free_ports
from deploy.stack.redis import Redis

StartApp = Callable[[Database, tuple[str, int]], Apache]

INTERNAL = b'{"status":"error","message":"Internal error"}'


def test_health(client: httpx.Client) -> None:
    """With everything up the application is healthy, and the keys have their order."""
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.content.startswith(
        b'{"status":"healthy","database":"ok","redis":"ok","app":"legacy","timestamp":"2'
    )


def test_without_the_database(
    start_app: StartApp, broken_database: Database, redis_server: Redis
) -> None:
    """Without its database it says so, answers 500 as JSON, and prints nothing of the reason."""
    app = start_app(broken_database, (redis_server.host, redis_server.port))
    with httpx.Client(base_url=f"http://{app.address}", timeout=30) as client:
        health = client.get("/health")
        assert health.status_code == 503
        state = {"status": "unhealthy", "database": "error", "redis": "ok", "app": "legacy"}
        assert {**health.json(), "timestamp": ""} == {**state, "timestamp": ""}
        for path in ("/api/plans", "/api/users/1", "/login"):
            answer = client.get(path)
            assert (answer.status_code, answer.content) == (500, INTERNAL)
            assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert client.get("/nothing").status_code == 404
        assert client.delete("/api/plans").status_code == 405
    log = app.process.log.read_text()
    assert "mysqli_sql_exception" in log
    assert broken_database.password not in log


def test_without_redis(start_app: StartApp, scratch_database: Database) -> None:
    """Without Redis only what needs a session fails."""
    app = start_app(scratch_database, ("127.0.0.1", free_ports(1)[0]))
    with httpx.Client(base_url=f"http://{app.address}", timeout=30) as client:
        health = client.get("/health")
        assert health.status_code == 503
        assert (health.json()["database"], health.json()["redis"]) == ("ok", "error")
        assert client.get("/api/plans").status_code == 200
        assert client.get("/api/me").status_code == 401
        form = {"email": "demo@example.com", "password": "cutover-demo"}
        answer = client.post("/api/login", data=form)
        assert (answer.status_code, answer.content) == (500, INTERNAL)
        assert "set-cookie" not in answer.headers
        cookie = {"Cookie": "PHPSESSID=abcdefghijklmnopqrstuvwxyz"}
        assert client.get("/api/me", headers=cookie).content == INTERNAL


@pytest.mark.parametrize("size", [4096, 400_000])
def test_notices_never_reach_the_client(client: httpx.Client, size: int) -> None:
    """More form fields than PHP takes make it warn; the answer is still nothing but JSON."""
    body = "&".join(f"f{number}=" for number in range(size // 4))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.put("/api/users/1", content=body.encode(), headers=headers)
    assert answer.status_code == 200
    assert answer.json()["data"]["id"] == 1
