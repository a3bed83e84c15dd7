"""One request that is carried out without effect, as the code that carries it out sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

EFFECTS_MAX: Final = 1_000
"""Effects of one run that are kept; more are only counted."""


class DryRunError(RuntimeError):
    """The application did something in a dry run that could not be undone; it was refused."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that would have left the application: its kind (mail, payment), and details."""

    kind: str
    details: Mapping[str, Any]


class DryRun:
    """A dry run from its request to its answer.

    `id` is that of the mirrored request. `cleanup` is undone, last entered first, when the
    application has answered and before anybody hears the answer; `held` is what belongs to this run
    alone, such as its connection to a database, by whatever its owner is found by.
    """

    def __init__(self, identifier: str) -> None:
        self.id = identifier
        self.effects: list[Effect] = []
        self.uncounted = 0
        self.ended = False
        self.held: dict[object, Any] = {}
        self.cleanup = AsyncExitStack()

    def record(self, kind: str, details: Mapping[str, Any]) -> None:
        """Note what is not sent."""
        if len(self.effects) < EFFECTS_MAX:
            self.effects.append(Effect(kind, details))
        else:
            self.uncounted += 1

    async def end(self) -> None:
        """Undo everything; raises what could not be undone."""
        self.ended = True
        self.held.clear()
        await self.cleanup.aclose()


_current: ContextVar[DryRun | None] = ContextVar("cutover_dry_run", default=None)


@contextmanager
def inside(run: DryRun) -> Iterator[None]:
    """Let what is called here, and the tasks that it starts, be part of a dry run."""
    token = _current.set(run)
    try:
        yield
    finally:
        _current.reset(token)


def dry_run() -> DryRun | None:
    """Give the dry run that this code is part of, or None when it is for real.

    Tasks and `asyncio.to_thread` inherit it, threads that are started otherwise do not. Work that
    outlives its request is still a dry run, one that has ended.
    """
    return _current.get()


def is_dry_run() -> bool:
    """Whether this code may leave nothing behind."""
    return _current.get() is not None


def recorded(kind: str, **details: Any) -> bool:
    """In a dry run, note an effect that is not to happen, and say so.

    def send(mail: Mail) -> None:
        if recorded("mail", to=mail.to, subject=mail.subject):
            return
        smtp.send_message(mail)
    """
    run = _current.get()
    if run is None:
        return False
    run.record(kind, details)
    return True


def effects() -> tuple[Effect, ...]:
    """Give what this dry run has recorded so far; nothing when it is none."""
    run = _current.get()
    return () if run is None else tuple(run.effects)
