"""A form whose sender was not signed in any more: kept with the browser, sealed, until somebody is.

The server keeps nothing, so that it does not matter how many do this, or how often. What comes back
is what went out, from this very process, or it is nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from proxy.admin.console.forms import Form
from proxy.admin.console.seal import Seal

HELD_MAX: Final = 3 * 1024 * 1024
"""Bytes of a form that is kept."""
SEALED_MAX: Final = HELD_MAX // 3 * 4 + 64 * 1024
"""Bytes of the form that brings it back."""

_OWN: Final = ("token",)
"""Fields that are made anew for the new session."""


@dataclass(frozen=True, slots=True)
class Held:
    """Where the form was sent to, and its fields."""

    path: str
    pairs: tuple[tuple[str, str], ...]


def hold(seal: Seal, path: str, form: Form) -> str:
    """Seal a form for its sender."""
    pairs = [pair for pair in form.pairs if pair[0] not in _OWN]
    return seal.close(json.dumps([path, pairs]))


def held(seal: Seal, sealed: str) -> Held | None:
    """Open what was sealed; None for anything else."""
    text = seal.open(sealed)
    if not text:
        return None
    path, pairs = json.loads(text)
    return Held(path, tuple((name, value) for name, value in pairs))
