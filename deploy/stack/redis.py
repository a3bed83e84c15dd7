"""Redis, for sessions, caches and jobs: nothing on disk, loopback only."""

from __future__ import annotations

from pathlib import Path

from deploy.stack.errors import MissingProgramError
from deploy.stack.process import Command
from deploy.stack.program import find
from deploy.stack.server import Server, first_bytes


class Redis(Server):
    """A Redis server."""

    name = "redis"

    def prepare(self) -> None:
        """Make its directory, and its program under the name that makes it a server."""
        super().prepare()
        link = self.folder / "redis-server"
        if not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(_program())

    def command(self) -> Command:
        """Return the server's command."""
        argv = [str(self.folder / "redis-server"), "--bind", self.host, "--port", str(self.port)]
        memory_only = ["--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        return Command((*argv, *memory_only), cwd=self.folder)

    def ready(self) -> bool:
        """Say whether it answers PING."""
        return first_bytes(self.port, b"PING\r\n") == b"+PONG\r\n"

    def url(self, db: int = 0) -> str:
        """Return the URL of one of its numbered databases."""
        return f"redis://{self.host}:{self.port}/{db}"


def _program() -> Path:
    # redis-tools carries no file named redis-server, but redis-check-rdb is the same program: the
    # name under which it is started decides what it does. So no package with a service is needed.
    try:
        return Path(find("redis-server", "redis-tools"))
    except MissingProgramError:
        return Path(find("redis-check-rdb", "redis-tools"))
