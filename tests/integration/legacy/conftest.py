"""A legacy application of its own for these tests: they write, and others count rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from deploy.stack.apache import SOURCE, Apache, legacy_environment
from deploy.stack.database import Database
from deploy.stack.mariadb import MariaDb
from deploy.stack.ports import free_ports
from deploy.stack.program import find, run
from deploy.stack.redis import Redis
from deploy.stack.server import http_status
from tests.support import eventually

Seed = Callable[..., str]
StartApp = Callable[[Database, tuple[str, int]], Apache]
NewUser = Callable[..., dict[str, object]]

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def scratch_database(mariadb_server: MariaDb) -> Database:
    """Give a database with an account of the same name, seeded."""
    database = mariadb_server.create_database("legacy_scratch")
    seed_database(database)
    return database


@pytest.fixture(scope="session")
def start_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartApp]:
    """Give a function that starts Apache and waits until it answers, healthy or not."""
    started: list[Apache] = []

    def start(database: Database, redis: tuple[str, int]) -> Apache:
        run_dir = tmp_path_factory.mktemp("legacy")
        app = Apache(run_dir, free_ports(1)[0], database, redis, tied=True)
        app.prepare()
        app.launch()
        started.append(app)
        eventually(lambda: http_status(app.port, "/login-not", timeout=10) == 404)
        return app

    try:
        yield start
    finally:
        for app in started:
            app.stop()


@pytest.fixture(scope="session")
def scratch_app(scratch_database: Database, redis_server: Redis, start_app: StartApp) -> Apache:
    """Give an application that these tests may write to."""
    return start_app(scratch_database, (redis_server.host, redis_server.port))


@pytest.fixture
def client(scratch_app: Apache) -> Iterator[httpx.Client]:
    """Give an HTTP client without cookies for the application."""
    with httpx.Client(base_url=f"http://{scratch_app.address}", timeout=30) as client:
        yield client


@pytest.fixture
def new_user(client: httpx.Client) -> NewUser:
    """Give a function that registers a user nobody else uses, and returns it."""

    def register(**fields: object) -> dict[str, object]:
        email = f"tester.{next(_numbers)}@example.org"
        body = {"email": email, "name": "Tess Ter", "password": "long enough", **fields}
        answer = client.post("/api/users", json=body)
        assert answer.status_code == 201, answer.text
        user: dict[str, object] = answer.json()["data"]
        return user

    return register


@pytest.fixture
def broken_database(scratch_database: Database) -> Database:
    """Give the address of a database server that is not there."""
    return replace(scratch_database, port=free_ports(1)[0])


@pytest.fixture
def seed() -> Seed:
    """Give the function that runs seed.php."""
    return seed_database


@pytest.fixture(scope="session")
def source() -> Path:
    """Give the folder of the application."""
    return SOURCE


def seed_database(database: Database, *options: str) -> str:
    """Run seed.php on a database and return what it printed."""
    script = str(SOURCE / "sql" / "seed.php")
    environment = legacy_environment(database, ("127.0.0.1", 1))
    return run([find("php", "php8.2-cli"), script, *options], env=environment)
