"""The real PHP and modern applications, where modern calls a user otherwise than legacy does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from shadow_compare.rules import CompareRules
from tests.conftest import LegacyApp, ModernApp
from tests.support import eventually_async
from tests.support_shadow import Running, a_capture, running_worker

MODERN_ID = 900_017
COPY = """INSERT INTO users SELECT (jsonb_populate_record(NULL::users,
    to_jsonb(u) || jsonb_build_object('id', CAST(:after AS int), 'email', 'moving@example.com'))).*
    FROM users u WHERE id = :before RETURNING (SELECT email FROM users WHERE id = :before)"""
REFERENCES = """SELECT conrelid::regclass::text, attname FROM pg_constraint
    JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
    WHERE contype = 'f' AND confrelid = 'users'::regclass"""

SPELLINGS = ["number_as_string", "int_bool", "php_datetime", "zero_date", "empty_map_list"]
USER_PLACES = ("$.data[*].user_id", "$.data.id", "$.meta.filters.user_id")


@asynccontextmanager
async def renamed(app: ModernApp, old: int, new: int) -> AsyncIterator[None]:
    """Give a user another id on modern's side, and his own again afterwards."""
    engine = create_async_engine(app.database_url)

    async def rename(before: int, after: int) -> None:
        ids = {"before": before, "after": after}
        async with engine.begin() as connection:
            email = (await connection.execute(text(COPY), ids)).scalar_one()
            for table, column in (await connection.execute(text(REFERENCES))).all():
                words = f"UPDATE {table} SET {column} = :after WHERE {column} = :before"  # noqa: S608 - names of the catalogue
                await connection.execute(text(words), ids)
            await connection.execute(
                text("DELETE FROM users WHERE id = :before"), {"before": before}
            )
            words = "UPDATE users SET email = :email WHERE id = :after"
            await connection.execute(text(words), {"email": email, "after": after})

    try:
        await rename(old, new)
        try:
            yield
        finally:
            await rename(new, old)
    finally:
        await engine.dispose()


def users(*translate: dict[str, object]) -> CompareRules:
    """Give the rules of a route in whose answers users are named."""
    return CompareRules.build(
        equivalences=SPELLINGS,
        ignore=[{"path": "$.meta.generated_at", "reason": "the clock"}],
        correspond=[{"path": path, "name": "user"} for path in USER_PLACES],
        translate=translate,
        repeat=False,
    )


ROUTES = {
    "list": users(),
    "user": users({"at": "path.id", "name": "user", "segment": 2}),
    "of_user": users({"at": "query.user_id", "name": "user"}),
    "untranslated": users(),
}


class Mirrored:
    """Reads that legacy serves and the worker mirrors."""

    def __init__(self, running: Running, client: httpx.AsyncClient) -> None:
        self._running = running
        self._client = client
        self._count = 0

    async def get(self, route: str, target: str) -> tuple[str, str]:
        """Ask legacy, and give what the worker makes of it: verdict and reason."""
        answer = await self._client.get(target)
        before = self._running.total()
        capture = a_capture(
            route=route, target=target, status=answer.status_code, body=answer.content,
            headers=tuple(answer.headers.multi_items()),
        )  # fmt: skip
        await self._running.send(capture.encode())
        found: list[tuple[str, str]] = []

        async def is_told() -> bool:
            now = self._running.total()
            found[:] = [key for key, count in now.items() if count > before.get(key, 0)]
            return bool(found)

        await eventually_async(is_told, deadline=20)
        return found[0]


@dataclass(frozen=True)
class Both:
    """Both applications behind a worker, and the user who has another id on each side."""

    mirrored: Mirrored
    running: Running
    user: int


@pytest.fixture
async def both(tmp_path: Path, legacy_app: LegacyApp, modern_app: ModernApp) -> AsyncIterator[Both]:
    """Run them; the user is the one of the first subscription."""
    ports = [httpx.URL(app.base_url).port or 0 for app in (legacy_app, modern_app)]
    fields = {"accept-encoding": "identity"}
    async with (
        httpx.AsyncClient(base_url=legacy_app.base_url, trust_env=False, headers=fields) as client,
        running_worker(tmp_path) as running,
    ):
        user = (await client.get("/api/subscriptions")).json()["data"][0]["user_id"]
        running.configure(ports[0], ports[1], ROUTES)
        async with renamed(modern_app, user, MODERN_ID):
            yield Both(Mirrored(running, client), running, user)


async def test_what_answers_have_taught_is_asked_for_by_the_right_name(both: Both) -> None:
    """A list teaches who is who; then his page, and what is filtered by him, are the same."""
    ask = both.mirrored.get
    assert await ask("user", f"/api/users/{both.user}") == ("not_compared", "unknown_id")
    assert await ask("list", "/api/subscriptions") == ("match", "")
    assert await ask("user", f"/api/users/{both.user}") == ("match", "")
    assert await ask("of_user", f"/api/subscriptions?user_id={both.user}") == ("match", "")
    # without translation modern is asked for somebody else
    assert await ask("untranslated", f"/api/users/{both.user}") == ("mismatch", "")

    async def stored() -> bool:
        coverage = {each.route: each for each in await both.running.report.coverage()}
        return (
            {"user", "of_user"} <= coverage.keys()
            and coverage["user"].fired.get("translate:path.id") == 1
            and coverage["of_user"].fired.get("translate:query.user_id") == 1
            and coverage["user"].not_compared == {"unknown_id": 1}
        )

    await eventually_async(stored, deadline=10)
