from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.report.filled import NOW, ROUTES, Size, fill
from bench.report.pages import PAGES, Admin
from shadow_compare.report import Report
from shadow_compare.store.database import Database
from shadow_compare.store.tables import metadata


@pytest.fixture
async def admin(tmp_path: Path) -> AsyncIterator[Admin]:
    """Give the admin application over a store that was filled a little."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'cutover.db'}", metadata)
    await fill(database, Size(comparisons=1_000, signatures=100, samples=200), random.Random(7))
    yield Admin(Report(database), ROUTES, NOW)
    await database.close()


async def test_every_page_that_is_measured_answers(admin: Admin) -> None:
    """Else the bench would tell of it in an hour, after a million rows."""
    for page in PAGES:
        await admin.asking(page)()
