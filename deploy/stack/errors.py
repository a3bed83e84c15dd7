"""What can go wrong while the local stack is started; every message says how to go on."""

from __future__ import annotations

from pathlib import Path


class StackError(Exception):
    """The local stack cannot do what was asked; the text is for the person at the keyboard."""


class MissingProgramError(StackError):
    """A program of a server is not installed."""

    def __init__(self, program: str, package: str) -> None:
        super().__init__(
            f"{program} is not installed (Debian package: {package}).\n"
            "  Set up this machine with: deploy/setup.sh\n"
            "  or run everything in containers: docker compose up"
        )


class PortBusyError(StackError):
    """Somebody else already listens where a server of the stack should."""

    def __init__(self, name: str, port: int, holder: str, variable: str) -> None:
        super().__init__(
            f"port {port}, wanted for {name}, is in use by {holder}.\n"
            f"  Stop that program, or choose another port: {variable}={port + 10000} make run"
        )


class StartError(StackError):
    """A server did not become ready; carries the end of its log."""

    def __init__(self, name: str, reason: str, log: Path) -> None:
        super().__init__(f"{name} {reason}.\n  Its log, {log}, ends with:\n{tail(log)}")


class CommandError(StackError):
    """A preparing command ended with an error; carries what it said."""

    def __init__(self, command: str, status: int, said: str) -> None:
        super().__init__(f"`{command}` ended with status {status}:\n{_indent(said)}")


def tail(log: Path, lines: int = 12) -> str:
    """Return the last lines of a log, indented for showing below a message."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return "    (no log)"
    return _indent("\n".join(text.splitlines()[-lines:])) or "    (empty)"


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines())
