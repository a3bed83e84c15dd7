"""Errors by whose fault they are; each says what, where and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass


class CutoverError(Exception):
    """Base of every error the product raises on purpose; its text is meant for an operator."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a file something stands; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class RulesProblem:
    """One thing wrong with a rules document."""

    where: Position
    message: str
    text: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        found = f" (found: {self.text})" if self.text else ""
        mend = f"\n    {self.suggestion}" if self.suggestion else ""
        return f"{self.where}: {self.message}{found}{mend}"


class RulesError(CutoverError):
    """The rules document was refused; `problems` lists everything that is wrong with it."""

    def __init__(self, problems: tuple[RulesProblem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class ConflictError(CutoverError):
    """Somebody else changed the rules first; read them again and repeat the change."""


class NotFoundError(CutoverError):
    """The named route, version or record does not exist."""


class RefusedError(CutoverError):
    """The change is valid but not allowed now; the text says what would allow it."""


class UnwrittenError(CutoverError):
    """The change could not be written where all hosts agree; look what is in force, and repeat."""


class ElsewhereError(CutoverError):
    """This host does not act; changes are made on the one that does, at `url` if it is known."""

    def __init__(self, message: str, acting: str | None, url: str | None) -> None:
        super().__init__(message)
        self.acting = acting
        self.url = url


class SettingsError(CutoverError):
    """A command-line option or environment variable cannot be used."""
