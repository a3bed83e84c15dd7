"""A pair of small databases per test: the legacy schema with a few rows, and an empty target."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.stack import Database
from deploy.stack.mariadb import MariaDb
from deploy.stack.postgres import Postgres
from tests.integration.migration_tools.pair import ROWS, Pair

ROOT = Path(__file__).parents[3]
LEGACY_SCHEMA = ROOT / "legacy_php" / "sql" / "schema.sql"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def modern_template(postgres_server: Postgres) -> Database:
    """Give a database with the newest modern schema, to be cloned per test."""
    database = postgres_server.create_database("migration_template", replace=True)
    subprocess.run(
        [sys.executable, "-m", "alembic", "-c", "modern/migrations/alembic.ini", "upgrade", "head"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database.sqlalchemy_url},
        check=True,
        capture_output=True,
    )
    return database


@pytest.fixture
def empty_pair(
    mariadb_server: MariaDb, postgres_server: Postgres, modern_template: Database
) -> Iterator[Pair]:
    """Give the two schemas without a row."""
    number = next(_numbers)
    source = mariadb_server.create_database(f"migration_source_{number}", replace=True)
    mariadb_server.sql(LEGACY_SCHEMA.read_text(), source.name)
    target = replace(modern_template, name=f"migration_target_{number}")
    postgres_server.sql(
        f'CREATE DATABASE "{target.name}" TEMPLATE "{modern_template.name}" OWNER "{target.user}"'
    )
    yield Pair(source, target, mariadb_server, postgres_server)
    postgres_server.sql(f'DROP DATABASE "{target.name}" WITH (FORCE)')
    mariadb_server.sql(f"DROP DATABASE `{source.name}`; DROP USER '{source.user}'@'{source.host}'")


@pytest.fixture
def pair(empty_pair: Pair) -> Pair:
    """Give a source with a few rows of every kind, and an empty target."""
    empty_pair.in_source(ROWS)
    return empty_pair
