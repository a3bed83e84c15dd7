"""What must be done once before the applications can start: schemas, seed data, the copy."""

from __future__ import annotations

import hashlib
import sys
from abc import ABC, abstractmethod
from pathlib import Path

from deploy.stack.apache import SOURCE, legacy_environment
from deploy.stack.database import Database
from deploy.stack.mariadb import MariaDb
from deploy.stack.postgres import Postgres
from deploy.stack.program import ROOT, find, run


class Task(ABC):
    """A step that is done once; its marker lies beside the data, so both go together."""

    name: str

    def __init__(self, marker_folder: Path) -> None:
        """Keep the marker in the folder of the server whose data the step makes."""
        self._marker = marker_folder / f"{self.name}.done"

    def done(self) -> bool:
        """Say whether it was done for the sources as they are now."""
        return self._marker.exists() and self._marker.read_text() == self.version()

    def perform(self) -> None:
        """Do it, and remember that it is done."""
        self._marker.unlink(missing_ok=True)
        self.act()
        self._marker.write_text(self.version())

    def version(self) -> str:
        """Return what the marker holds; a step that is never done again has the same always."""
        return "done"

    @abstractmethod
    def act(self) -> None:
        """Do the work; raises CommandError."""


class Seed(Task):
    """The legacy schema and its deterministic data."""

    name = "seed"

    def __init__(self, mariadb: MariaDb, password: str, redis: tuple[str, int]) -> None:
        """Seed a database of the legacy application's own account."""
        super().__init__(mariadb.folder)
        self._server = mariadb
        self._redis = redis
        self.database = Database(
            "mysql", mariadb.host, mariadb.port, "legacy_billing", "legacy", password
        )

    def version(self) -> str:
        """Return a digest of what makes the data: other tables or rows are made anew."""
        return _digest(SOURCE / "sql")

    def act(self) -> None:
        """Make the database anew, then its tables, then its rows."""
        database = self.database
        self._server.create_database(
            database.name, user=database.user, password=database.password, replace=True
        )
        self._server.sql((SOURCE / "sql" / "schema.sql").read_text(), database.name)
        environment = legacy_environment(database, self._redis)
        run([find("php", "php8.2-cli"), str(SOURCE / "sql" / "seed.php")], env=environment)


class Schema(Task):
    """The modern schema, brought to its newest revision."""

    name = "schema"

    def __init__(self, postgres: Postgres, password: str) -> None:
        """Migrate a database of the modern application's own account."""
        super().__init__(postgres.folder)
        self._server = postgres
        self.database = Database(
            "postgresql", postgres.host, postgres.port, "modern_billing", "modern", password
        )

    def version(self) -> str:
        """Return a digest of the revisions: a new one is applied by the next start."""
        return _digest(ROOT / "modern" / "migrations")

    def act(self) -> None:
        """Make the database when there is none, and upgrade it."""
        database = self.database
        self._server.create_database(database.name, user=database.user, password=database.password)
        migrate_modern(database)


class Copy(Task):
    """The legacy rows, copied and verified, so that both sides hold the same data."""

    name = "copy"

    def __init__(self, postgres: Postgres, source: Database, target: Database) -> None:
        """Copy from the legacy database to the modern one."""
        super().__init__(postgres.folder)
        self._source = source
        self._target = target

    def version(self) -> str:
        """Return a digest of what made the rows that were copied: others are copied again."""
        return _digest(SOURCE / "sql")

    def act(self) -> None:
        """Copy; what an earlier, interrupted start has left in the target is replaced."""
        copy_data(self._source, self._target, replace=True)


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for source in sorted(
        path for path in folder.rglob("*") if path.suffix in {".py", ".php", ".sql"}
    ):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def migrate_modern(database: Database) -> None:
    """Bring a database to the newest modern schema."""
    argv = [sys.executable, "-m", "alembic", "-c", "modern/migrations/alembic.ini"]
    run([*argv, "upgrade", "head"], env={"DATABASE_URL": database.sqlalchemy_url})


def copy_data(source: Database, target: Database, *, replace: bool = False) -> None:
    """Copy and verify all rows; the URLs go by the environment, as arguments are public."""
    argv = [sys.executable, "-m", "migration_tools", "copy", *(["--replace"] if replace else [])]
    environment = {"LEGACY_DATABASE_URL": source.url, "DATABASE_URL": target.sqlalchemy_url}
    run(argv, env=environment)
