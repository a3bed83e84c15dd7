"""What every command is given, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TextIO
from urllib.parse import quote

from proxy.errors import CutoverError

OK = 0
REFUSED = 1
"""What was asked for is invalid, does not exist, or is not allowed now."""
USAGE = 2
"""The command line itself cannot be understood."""
UNREACHABLE = 3
"""No admin API answers where it was looked for."""

Json = dict[str, Any]


class UnreachableError(CutoverError):
    """No admin API answers; the text says where it was looked for, and why that failed."""


class AnswerError(CutoverError):
    """The admin API refused; `problem` is the problem details object it sent."""

    def __init__(self, problem: Json) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title") or "refused"))
        self.problem = problem


class Client(Protocol):
    """The admin API, as commands use it; `path` is below /api/v1.

    Raises UnreachableError or AnswerError.
    """

    url: str

    def get(self, path: str, **query: str | int | None) -> Json:
        """Read; parameters that are None are left out."""
        ...

    def text(self, path: str, **query: str | int | None) -> str:
        """Read a file."""
        ...

    def send(self, method: str, path: str, body: Json, version: int | None = None) -> Json:
        """Change something, only if the rules are still at `version` when one is named."""
        ...


def segment(text: str) -> str:
    """Write a name as one segment of a path."""
    return quote(text, safe="")


@dataclass(frozen=True, slots=True)
class Context:
    """The world of one command: streams, environment, user, time and the way to the proxy."""

    out: TextIO
    err: TextIO
    environ: Mapping[str, str]
    user: str
    now: Callable[[], float]
    sleep: Callable[[float], None]
    connect: Callable[[str | None], Client]
