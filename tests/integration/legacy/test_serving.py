from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from deploy.stack.apache import Apache
from deploy.stack.database import Database
from deploy.stack.ports import free_ports
from deploy.stack.redis import Redis
from deploy.stack.server import http_status
from tests.support import eventually

NOT_FOUND = b'{"status":"error","message":"Not found"}'


class LegacyApp(Protocol):
    """What the fixture of the shared application gives."""

    base_url: str


class WithHtaccess(Apache):
    """Apache as a hosting company runs it: no rules of its own, and .htaccess is read."""

    def config(self, document_root: Path) -> str:
        """Return the usual configuration without what .htaccess is there for."""
        text = re.sub(
            r"(?m)^\s*(Rewrite|FallbackResource|AllowOverride|Options).*\n",
            "",
            super().config(document_root),
        )
        opened = f'<Directory "{document_root}">\n'
        assert opened in text
        return text.replace(opened, f"{opened}Options FollowSymLinks\nAllowOverride All\n")


@pytest.fixture(scope="module")
def hosted(
    tmp_path_factory: pytest.TempPathFactory, scratch_database: Database, redis_server: Redis
) -> Iterator[httpx.Client]:
    """Give a client of an application that has nothing but its .htaccess."""
    redis = (redis_server.host, redis_server.port)
    run_dir = tmp_path_factory.mktemp("hosted")
    app = WithHtaccess(run_dir, free_ports(1)[0], scratch_database, redis, tied=True)
    app.prepare()
    app.launch()
    try:
        eventually(lambda: http_status(app.port, "/health") == 200)
        with httpx.Client(base_url=f"http://{app.address}") as client:
            yield client
    finally:
        app.stop()


@pytest.mark.parametrize("path", ["/health", "/api/plans", "/api/users/13", "/login"])
def test_htaccess_sends_every_path_to_the_entry_point(hosted: httpx.Client, path: str) -> None:
    """With .htaccess alone the face is served, and the environment still arrives."""
    assert hosted.get(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/sql/schema.sql", "/sql/seed.php", "/sql/", "/README.md", "/config.php", "/.htaccess", "/"],
)
def test_htaccess_hides_the_files(hosted: httpx.Client, path: str) -> None:
    """With .htaccess alone no file of the application is served."""
    answer = hosted.get(path)
    assert (answer.status_code, answer.content) == (404, NOT_FOUND)


def test_the_stack_serves_the_seeded_data(legacy_app: LegacyApp) -> None:
    """The application of the local stack answers with the same data."""
    with httpx.Client(base_url=legacy_app.base_url) as client:
        assert client.get("/health").json()["app"] == "legacy"
        assert client.get("/api/users/42").json()["data"]["name"] == "Zoë 🚲 Bakker"


@pytest.mark.parametrize(
    "path",
    ["/config.php", "/sql/seed.php", "/sql/schema.sql", "/README.md", "/views/login.php", "/.git"],
)
def test_no_file_of_the_legacy_application_is_served(legacy_app: LegacyApp, path: str) -> None:
    """Whatever lies below the document root, its path is answered like one that does not exist."""
    answer = httpx.get(legacy_app.base_url + path)
    assert answer.status_code == 404
    assert answer.content == NOT_FOUND
