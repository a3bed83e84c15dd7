"""The card processor that both applications charge: a sandbox, nobody pays."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from deploy.stack.process import Command
from deploy.stack.program import ROOT
from deploy.stack.server import Server, http_status


@dataclass(frozen=True)
class Account:
    """Where an application asks the processor, and the key that it asks with."""

    url: str
    key: str


class Processor(Server):
    """The processor; its journal in its folder says what it was asked, and by whom."""

    name = "processor"
    stop_grace = 3.0

    def command(self) -> Command:
        """Return the server's command."""
        argv = (sys.executable, "-m", "deploy.processor", "--port", str(self.port))
        return Command((*argv, "--folder", str(self.folder)), cwd=ROOT)

    def ready(self) -> bool:
        """Say whether it answers."""
        return http_status(self.port, "/health") == 200

    def account(self, name: str, secret: str) -> Account:
        """Return the account of one application; the processor takes any secret for its own."""
        return Account(f"http://{self.host}:{self.port}", f"sk_test_{name}_{secret}")
