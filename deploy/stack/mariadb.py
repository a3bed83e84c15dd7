"""MariaDB, for the legacy application: own data directory, binary log on, loopback only."""

from __future__ import annotations

import shutil
from pathlib import Path

from deploy.stack.database import Database, identifier
from deploy.stack.process import Command
from deploy.stack.program import find, is_root, run
from deploy.stack.server import Server, first_bytes

_SERVER_PACKAGE = "mariadb-server-core"
_PROTOCOL_VERSION = 10  # of the greeting that a server sends first, byte 4
# The seeded data holds zero dates, as old applications do: NO_ZERO_DATE stays off.
_SQL_MODE = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
_FAST = ("--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0", "--innodb-doublewrite=0")


class MariaDb(Server):
    """A MariaDB server whose only network account, besides those made here, is root."""

    name = "mariadb"

    def __init__(
        self,
        run_dir: Path,
        port: int,
        root_password: str,
        *,
        fast: bool = False,
        tied: bool = False,
    ) -> None:
        """Set it up below run_dir; `fast` gives up durability (tests)."""
        super().__init__(run_dir, port, tied=tied)
        self._password = root_password
        self._fast = fast
        self._data = self.folder / "data"

    def prepare(self) -> None:
        """Make the data directory, and the file that sets the accounts at every start."""
        super().prepare()
        if not (self._data / "mysql").exists():
            self._install()
        accounts = self.folder / "accounts.sql"
        accounts.touch(mode=0o600)
        accounts.write_text(_accounts(self._password))

    def command(self) -> Command:
        """Return the server's command; row-based binary log, so that changes can be followed."""
        argv = [
            find("mariadbd", _SERVER_PACKAGE),
            "--no-defaults",
            *_as_root(),
            f"--datadir={self._data}",
            "--socket=mariadb.sock",  # below the data directory: its path may be long, ours not
            "--pid-file=mariadb.pid",
            f"--port={self.port}",
            f"--bind-address={self.host}",
            "--skip-name-resolve",
            f"--init-file={self.folder / 'accounts.sql'}",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_unicode_ci",
            "--default-time-zone=+00:00",
            f"--sql-mode={_SQL_MODE}",
            "--max-connections=400",
            "--innodb-buffer-pool-size=128M",
            "--log-bin=binlog",
            "--binlog-format=ROW",
            "--server-id=1",
        ]
        return Command((*argv, *(_FAST if self._fast else ())), cwd=self.folder)

    def ready(self) -> bool:
        """Say whether it greets; it does so only after the accounts are set."""
        greeting = first_bytes(self.port)
        return len(greeting) > 4 and greeting[4] == _PROTOCOL_VERSION

    def create_database(
        self, name: str, *, user: str = "", password: str = "", replace: bool = False
    ) -> Database:
        """Make a database and the account that owns it, named after it if no user is given."""
        owner = identifier(user or name)
        name = identifier(name)
        secret = password or self._password
        account = f"'{owner}'@'{self.host}'"
        drop = f"DROP DATABASE IF EXISTS `{name}`;" if replace else ""
        self.sql(
            f"{drop} CREATE DATABASE IF NOT EXISTS `{name}`;"
            f"CREATE OR REPLACE USER {account} IDENTIFIED BY '{secret}';"
            f"GRANT ALL ON `{name}`.* TO {account};"
            # What a consistent dump and following the binary log need.
            f"GRANT RELOAD, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {account};"
        )
        return Database("mysql", self.host, self.port, name, owner, secret)

    def sql(self, script: str, database: str = "") -> str:
        """Run SQL as root and return the rows, tab-separated, without a heading."""
        login = ["--protocol=tcp", f"--host={self.host}", f"--port={self.port}", "--user=root"]
        client = find("mariadb", "mariadb-client-core")
        return run(
            [client, "--no-defaults", *login, "--batch", "--skip-column-names", database],
            env={"MYSQL_PWD": self._password},
            stdin=script,
        )

    def _install(self) -> None:
        draft = self.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        argv = [
            find("mariadb-install-db", _SERVER_PACKAGE),
            "--no-defaults",
            f"--datadir={draft}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *_as_root(),
        ]
        run(argv)
        draft.rename(self._data)


def _as_root() -> list[str]:
    return ["--user=root"] if is_root() else []


def _accounts(password: str) -> str:
    """Return the start-up SQL: one statement a line, unlogged, root only with its password."""
    lines = [
        "SET SESSION sql_log_bin=0",
        f"CREATE OR REPLACE USER 'root'@'127.0.0.1' IDENTIFIED BY '{password}'",
        "GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION",
        f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}'",
        "DELETE FROM mysql.global_priv WHERE User='' OR Host NOT IN ('localhost','127.0.0.1')",
        "FLUSH PRIVILEGES",
    ]
    return "".join(f"{line};\n" for line in lines)
