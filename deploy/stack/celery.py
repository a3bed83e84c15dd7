"""The jobs of the modern application: a Celery worker, and the beat that sends periodic jobs."""

from __future__ import annotations

import sys
from pathlib import Path

from deploy.stack.process import Command
from deploy.stack.program import ROOT
from deploy.stack.server import Server

_APP = ("-m", "celery", "-A", "modern.infra.jobs")


class _Celery(Server):
    # What its log says once it works; there is no port to ask.
    _sign: str

    def __init__(self, run_dir: Path, environment: dict[str, str], *, tied: bool = False) -> None:
        """Run with the environment of the modern application."""
        super().__init__(run_dir, None, tied=tied)
        self._environment = environment
        self._log_start = 0

    def launch(self) -> None:
        """Start it, and remember where its part of the log begins."""
        log = self.process.log
        self._log_start = log.stat().st_size if log.exists() else 0
        super().launch()

    def ready(self) -> bool:
        """Say whether it has announced itself since it was launched."""
        with self.process.log.open("rb") as log:
            log.seek(self._log_start)
            return self._sign.encode() in log.read()


class CeleryWorker(_Celery):
    """The process that carries jobs out."""

    name = "celery-worker"
    _sign = " ready."

    def command(self) -> Command:
        """Return the worker's command; one process is enough for one machine's jobs."""
        options = ("worker", "--loglevel", "INFO", "--concurrency", "1", "--without-mingle")
        return Command((sys.executable, *_APP, *options), env=self._environment, cwd=ROOT)


class CeleryBeat(_Celery):
    """The process that sends periodic jobs."""

    name = "celery-beat"
    _sign = "beat: Starting"

    def command(self) -> Command:
        """Return beat's command, its schedule below the run directory."""
        schedule = str(self.folder / "schedule")
        options = ("beat", "--loglevel", "INFO", "--schedule", schedule, "--pidfile", "")
        return Command((sys.executable, *_APP, *options), env=self._environment, cwd=ROOT)
