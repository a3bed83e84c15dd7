"""Redis, PostgreSQL and two applications, in places of their own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from deploy.stack.database import Database
from deploy.stack.ports import free_ports
from deploy.stack.postgres import Postgres
from deploy.stack.process import Command
from deploy.stack.redis import Redis
from deploy.stack.server import Server
from tests.support_app import App
from tests.support_hosts.lan import Lan
from tests.support_hosts.leftovers import tied_to_us

REDIS, POSTGRES, APPS = "redis", "postgres", "apps"
SERVICES: Final = (REDIS, POSTGRES, APPS)
"""The places of what hosts need."""


class SiteRedis(Redis):
    """Redis that remembers, as one that several hosts rely on should; unless it is told to forget.

    It is killed by SIGKILL. What it had written by then is on file.
    """

    def __init__(self, folder: Path, lan: Lan) -> None:
        super().__init__(folder, free_ports(1)[0], tied=True)
        self._place, self._address = lan.place(REDIS), lan.address(REDIS)

    def command(self) -> Command:
        """Return the server's command."""
        binary = super().command().argv[0]
        argv = [binary, "--bind", *sorted({self.host, self._address}), "--port", str(self.port)]
        argv += ["--protected-mode", "no", "--save", "", "--appendonly", "yes"]
        return Command(
            (*argv, "--dir", str(self.folder)), cwd=self.folder, become=self._place.enter
        )

    def ready(self) -> bool:
        """Say whether it answers PING."""
        return self._place.do(super().ready)

    def required_ports(self) -> Mapping[str, int]:
        """Return none: where it is they may be free, or taken, that are not so here."""
        return {}

    def begin(self) -> None:
        """Start it without waiting."""
        self.prepare()
        self.launch()

    def forget(self) -> None:
        """Lose everything, while it does not run."""
        shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)


class SitePostgres(Postgres):
    """PostgreSQL that keeps what it has acknowledged when it is killed, if the machine lives on."""

    def __init__(self, folder: Path, lan: Lan) -> None:
        super().__init__(folder, free_ports(1)[0], "kept-by-nobody", fast=True, tied=True)
        self._place, self._address = lan.place(POSTGRES), lan.address(POSTGRES)

    def prepare(self) -> None:
        """Make the cluster, which lets hosts of the switch in."""
        self._place.do(super().prepare)
        hba, line = self._data / "pg_hba.conf", "host all all 10.77.0.0/24 scram-sha-256\n"
        if line not in (text := hba.read_text()):
            hba.write_text(text + line)

    def command(self) -> Command:
        """Return the server's command: with a socket that is reached from every room."""
        command = super().command()
        settings = {
            "listen_addresses": ",".join(sorted({self.host, self._address})),
            "unix_socket_directories": str(self.folder),
            "synchronous_commit": "on",  # else a killed server forgets what it has acknowledged
            "max_wal_senders": "0",
            "autovacuum": "off",
        }
        more = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        become = (*tied_to_us(), *self._place.enter, *command.become)
        # Immediate: a clean end would wait for its clients, and is not what is tried here.
        return replace(
            command, argv=(*command.argv, *more), become=become, stop_signal=signal.SIGQUIT
        )

    def ready(self) -> bool:
        """Say whether it accepts logins."""
        return self._place.do(super().ready)

    def required_ports(self) -> Mapping[str, int]:
        """Return none: where it is they may be free, or taken, that are not so here."""
        return {}

    def begin(self) -> None:
        """Start it without waiting; the cluster is there already."""
        self.launch()

    def create_database(
        self, name: str, *, user: str = "", password: str = "", replace: bool = False
    ) -> Database:
        """Make a database and the account that owns it."""
        make = super().create_database
        return self._place.do(lambda: make(name, user=user, password=password, replace=replace))


def signal_to(server: Server, number: signal.Signals) -> None:
    """Send a signal to every process of a server, if it runs."""
    if (pid := server.process.pid) is not None:
        os.killpg(pid, number)


def app_in(lan: Lan, name: str) -> App:
    """Give an application in the place of those, not yet started."""
    place, address = lan.place(APPS), lan.address(APPS)

    def listen(port: int) -> socket.socket:
        return place.do(lambda: socket.create_server((address, port)))

    return App(name, listener=listen)
