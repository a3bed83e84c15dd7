"""One valid content of the rules file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from proxy.routing.rules import Rules


@dataclass(frozen=True, slots=True)
class LoadedRules:
    """The same three times: as text, as plain values, and parsed."""

    text: str
    document: dict[str, Any]
    rules: Rules
