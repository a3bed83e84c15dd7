"""PostgreSQL, for the modern application: own data directory, password logins, loopback only."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from deploy.stack.database import Database, identifier
from deploy.stack.errors import CommandError
from deploy.stack.process import Command
from deploy.stack.program import can_unshare, find, is_root, run
from deploy.stack.server import Server

_PACKAGE = "postgresql-15"
_BIN = "/usr/lib/postgresql/15/bin"
_ADMIN = "postgres"
_FAST = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off")


class Postgres(Server):
    """A PostgreSQL server reached over TCP only."""

    name = "postgres"

    def __init__(
        self, run_dir: Path, port: int, password: str, *, fast: bool = False, tied: bool = False
    ) -> None:
        """Set it up below run_dir; `fast` gives up durability (tests)."""
        super().__init__(run_dir, port, tied=tied)
        self._password = password
        self._fast = fast
        self._data = self.folder / "data"

    def prepare(self) -> None:
        """Make the cluster when there is none."""
        super().prepare()
        if not (self._data / "PG_VERSION").exists():
            self._install()

    def command(self) -> Command:
        """Return the server's command; SIGINT is its fast, clean shutdown."""
        settings = {
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        server = find("postgres", _PACKAGE, _BIN)
        argv = (server, "-D", str(self._data), *options, *(_FAST if self._fast else ()))
        return Command(
            argv, cwd=self.folder, stop_signal=signal.SIGINT, become=tuple(_ordinary_user())
        )

    def ready(self) -> bool:
        """Say whether it accepts logins."""
        return self.sql("SELECT 1", quiet=True).strip() == "1"

    def create_database(
        self, name: str, *, user: str = "", password: str = "", replace: bool = False
    ) -> Database:
        """Make a database and the account that owns it, named after it if no user is given."""
        owner = identifier(user or name)
        name = identifier(name)
        secret = password or self._password
        if replace:
            self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.sql(_role(owner, secret))
        if name not in self.sql("SELECT datname FROM pg_database").split():
            self.sql(f'CREATE DATABASE "{name}" OWNER "{owner}"')
        return Database("postgresql", self.host, self.port, name, owner, secret)

    def sql(self, script: str, database: str = _ADMIN, *, quiet: bool = False) -> str:
        """Run SQL as the admin and return the rows, unaligned; `quiet` answers '' when it fails."""
        login = ["-h", self.host, "-p", str(self.port), "-U", _ADMIN, "-d", database]
        argv = [find("psql", "postgresql-client-15", _BIN), "-X", "-q", "-A", "-t"]
        return _psql([*argv, "-v", "ON_ERROR_STOP=1", *login], self._password, script, quiet=quiet)

    def _install(self) -> None:
        draft = self.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        password = self.folder / "password"
        password.touch(mode=0o600)
        password.write_text(self._password)
        draft.mkdir(mode=0o700)
        self._hand_over()
        initdb = find("initdb", _PACKAGE, _BIN)
        options = ["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"]
        login = [f"--username={_ADMIN}", f"--pwfile={password}"]
        run([*_ordinary_user(), initdb, "-D", str(draft), *options, *login])
        password.unlink()
        draft.rename(self._data)

    def _hand_over(self) -> None:
        # Without user namespaces the server runs as the account that the Debian package made.
        if is_root() and not can_unshare():
            run(["chown", "-R", f"{_ADMIN}:{_ADMIN}", str(self.folder)])


def _ordinary_user() -> list[str]:
    """Return what to put before a command, as PostgreSQL refuses to run as root.

    Either way works where the data lies below a directory that only root may enter: a user
    namespace shows root as an ordinary user, and is tried first; where the kernel allows none (in
    most containers, in a chroot) the server gets the account that the Debian package made, with
    the one capability that lets it reach its folder.
    """
    if not is_root():
        return []
    if can_unshare():
        return ["unshare", "--map-user=1000", "--map-group=1000"]
    reach = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return ["setpriv", f"--reuid={_ADMIN}", f"--regid={_ADMIN}", "--init-groups", *reach]


def _role(name: str, password: str) -> str:
    return (
        "DO $$ BEGIN"
        f" IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN"
        f' CREATE ROLE "{name}" LOGIN; END IF; END $$;'
        f"ALTER ROLE \"{name}\" PASSWORD '{password}'"
    )


def _psql(argv: list[str], password: str, script: str, *, quiet: bool) -> str:
    try:
        return run(argv, env={"PGPASSWORD": password, "PGCONNECT_TIMEOUT": "5"}, stdin=script)
    except CommandError:
        if quiet:
            return ""
        raise
