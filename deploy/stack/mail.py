"""The mail server that the modern application hands its mails to: it delivers to nobody."""

from __future__ import annotations

import sys

from deploy.stack.process import Command
from deploy.stack.program import ROOT
from deploy.stack.server import Server, first_bytes


class Mail(Server):
    """The mail server; its folder holds every mail that was sent, as a file."""

    name = "mail"

    def command(self) -> Command:
        """Return the server's command."""
        argv = (sys.executable, "-m", "deploy.mailbox", "--port", str(self.port))
        return Command((*argv, "--folder", str(self.folder)), cwd=ROOT)

    def ready(self) -> bool:
        """Say whether it greets."""
        return first_bytes(self.port).startswith(b"220 ")

    @property
    def url(self) -> str:
        """Where mails are handed over."""
        return f"smtp://{self.host}:{self.port}"
