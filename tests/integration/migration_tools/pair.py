"""A legacy and a modern database of a test, and how it looks into both."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

import orjson

from deploy.stack import Database
from deploy.stack.mariadb import MariaDb
from deploy.stack.postgres import Postgres
from deploy.stack.program import find
from migration_tools.__main__ import main

TABLES = ("users", "subscription_plans", "subscriptions", "billing_history")

# Every kind of value: names of many scripts, quotes, nulls, zero dates, empty and nested JSON.
ROWS = """
INSERT INTO users VALUES
 (1, 'asa@example.org', 'Åsa Nyström', 'hash-1', 'SE', '+46 1', '1984-02-29', 1,
  '2024-03-31 02:30:00', '2023-05-01 12:00:00', 'tok_visa'),
 (2, 'li@example.org', '李小龍 🥋', 'hash-2', NULL, NULL, NULL, 0,
  '0000-00-00 00:00:00', '2023-05-02 12:00:00', NULL),
 (3, 'o@example.org', 'O''Brien \\\\ "Q"\\t\\n', 'hash-3', 'IE', '', '0000-00-00', 1,
  NULL, '2023-05-03 12:00:00', '');
INSERT INTO subscription_plans VALUES
 (1, 'Basic', 'Für Büros & Cafés', 9.90, 'EUR', 'monthly', 14,
  '{"seats": 1, "ratio": 1.50}', 1, '2022-01-01 09:00:00'),
 (2, 'Archive', NULL, 120.00, 'USD', 'yearly', 0, '[]', 0, '2022-01-01 09:00:00');
INSERT INTO subscriptions VALUES
 (10, 1, 1, 'active', '2026-12-01', '2024-03-01 10:00:00'),
 (20, 2, 2, 'cancelled', '2026-01-31', '2024-03-02 10:00:00'),
 (30, 3, 1, 'past_due', '2026-02-28', '2024-03-03 10:00:00');
INSERT INTO billing_history VALUES
 (100, 10, 1, 9.90, 'EUR', 'paid', 'Basic, 1 month', '2024-03-01 10:00:00', '2024-03-01 10:00:02',
  'ch_1', 4.95),
 (200, 20, 2, 120.00, 'USD', 'failed', NULL, '2024-03-02 10:00:00', '0000-00-00 00:00:00',
  NULL, 0),
 (300, 30, 3, 9.90, 'EUR', 'pending', '', '2024-03-03 10:00:00', NULL,
  '', NULL);
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended: exit code, the report that it printed as JSON, what it said besides."""

    code: int
    report: dict[str, Any]
    errors: str

    @property
    def differences(self) -> dict[str, list[dict[str, Any]]]:
        """The differences that a verification named, per table that has any."""
        tables = self.report["tables"]
        return {one["table"]: one["differences"] for one in tables if not one["equal"]}


@dataclass(frozen=True)
class Pair:
    """A source and a target."""

    source: Database
    target: Database
    mariadb: MariaDb = field(repr=False)
    postgres: Postgres = field(repr=False)

    @property
    def addresses(self) -> list[str]:
        """The options that name both databases."""
        return ["--source", self.source.url, "--target", self.target.sqlalchemy_url]

    def run(self, command: str, *options: str) -> Ran:
        """Run a command of the tool on both databases."""
        return run([command, *self.addresses, *options])

    def copied(self, *options: str) -> Pair:
        """Copy, and return the pair itself if that went well."""
        ran = self.run("copy", *options)
        assert ran.code == 0, ran.errors
        return self

    def in_source(self, sql: str) -> str:
        """Run SQL in the source as root, with every character and zero dates allowed."""
        script = f"SET NAMES utf8mb4; SET sql_mode = ''; {sql}"
        return self.mariadb.sql(script, self.source.name).rstrip("\n")

    def in_target(self, sql: str) -> str:
        """Run SQL in the target as superuser."""
        return self.postgres.sql(sql, self.target.name).rstrip("\n")

    @contextmanager
    def target_session(self, sql: str) -> Iterator[None]:
        """Keep a session in the target open that has run some SQL, and so holds its locks."""
        login = [find("psql", "postgresql-client-15"), "-X", "-q", "-A", "-t", self.target.url]
        with subprocess.Popen(
            login, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as session:
            assert session.stdin is not None
            assert session.stdout is not None
            session.stdin.write(f"{sql};\n\\echo ready\n")
            session.stdin.flush()
            while (line := session.stdout.readline().strip()) != "ready":
                assert not line, line
            yield
            session.stdin.close()

    def target_rows(self) -> list[int]:
        """Return how many rows each table of the target holds."""
        script = "; ".join(f"SELECT count(*) FROM {table}" for table in TABLES)  # noqa: S608 # ours
        return [int(rows) for rows in self.in_target(script).split()]


def run(arguments: list[str]) -> Ran:
    """Run the tool with these arguments and --json."""
    out, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(errors):
        code = main([*arguments, "--json"])
    return Ran(code, orjson.loads(out.getvalue()), errors.getvalue())
