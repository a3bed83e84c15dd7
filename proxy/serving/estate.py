"""What belongs to a service rather than to a process: what a successor takes over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from proxy.serving.claims import Claims, Papers
from proxy.serving.inheritance import Sockets
from proxy.serving.notify import Notifier


def _nothing() -> None:
    pass


@dataclass(slots=True)
class Estate:
    """The estate of one supervisor. `kill` turns the kill switch on without asking anybody."""

    sockets: Sockets = field(default_factory=dict)
    claims: Claims | None = None
    papers: Papers | None = None
    notifier: Notifier = field(default_factory=lambda: Notifier({}))
    kill: Callable[[], None] = _nothing
    generation: int = 1
