"""The modern application: uvicorn, one process."""

from __future__ import annotations

import sys
from pathlib import Path

from deploy.stack.process import Command
from deploy.stack.processor import Account
from deploy.stack.program import ROOT
from deploy.stack.server import Server, http_status


def modern_environment(
    database_url: str,
    redis_url: str,
    secret_key: str,
    *,
    shadow_key: str = "",
    processor: Account | None = None,
    smtp_url: str = "",
) -> dict[str, str]:
    """Return the variables that the modern application and its jobs are configured by."""
    given = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": secret_key,
        "CUTOVER_SHADOW_KEY": shadow_key,
        "STRIPE_URL": processor.url if processor else "",
        "STRIPE_SECRET_KEY": processor.key if processor else "",
        "SMTP_URL": smtp_url,
    }
    return {name: value for name, value in given.items() if value}


class Modern(Server):
    """The modern billing core under uvicorn."""

    name = "modern"

    def __init__(
        self,
        run_dir: Path,
        port: int,
        environment: dict[str, str],
        *,
        faults: bool = False,
        tied: bool = False,
    ) -> None:
        """Serve with the environment given; `faults` adds the demonstration's fault switch."""
        super().__init__(run_dir, port, tied=tied)
        self._environment = environment
        self._faults = faults

    def command(self) -> Command:
        """Return the server's command."""
        argv = [sys.executable, "-m", "uvicorn", "--factory", "modern.app:create_app"]
        options = ["--host", self.host, "--port", str(self.port), "--no-access-log"]
        faults = {"MODERN_FAULTS": "1"} if self._faults else {}
        return Command((*argv, *options), env=self._environment | faults, cwd=ROOT)

    def ready(self) -> bool:
        """Say whether the application and what it needs are healthy."""
        return http_status(self.port, "/health") == 200
