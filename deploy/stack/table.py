"""What the stack shows people: a table of what runs where, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.stack.program import shown
from deploy.stack.stack import Stack, Status


def status_table(servers: Sequence[Status]) -> str:
    """Return a table with one line for each server."""
    rows = [("NAME", "STATE", "ADDRESS", "PID", "LOG")]
    rows += [
        (one.name, _state(one), one.address or "-", str(one.pid or "-"), shown(one.log))
        for one in servers
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join(lines)


def next_steps(stack: Stack) -> str:
    """Return the addresses that matter and the commands to go on with."""
    host = stack.cutover.host
    return f"""
  proxy    http://{host}:{stack.ports.proxy}
  console  http://{host}:{stack.ports.console}
  rules    {shown(stack.cutover.rules)}

Next:
  curl -i {host}:{stack.ports.proxy}/api/plans    Cutover-Side says which side answered
  make demo                            the guided tour
  make status                          this table again
  make stop                            stop everything"""


def _state(server: Status) -> str:
    if server.pid is None:
        return "down"
    return "up" if server.healthy else "not ready"
