"""What groups comparisons: the same kinds of difference in the same places of the same route."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import orjson

from shadow_compare.text import shortened, storable
from shadow_compare.verdict import Comparison

PLACES_MAX: Final = 100
"""Places that make up a signature; an answer that differs in more is named by the first of them."""
PATH_MAX: Final = 200
"""Characters of a path that are shown: members of an answer may have names of any length."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A route with the places that differ, each as kind and wildcard path; `id` is stable."""

    id: str
    route: str
    places: tuple[tuple[str, str], ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of difference, each once."""
        return tuple(dict.fromkeys(kind for kind, _ in self.places))

    @property
    def paths(self) -> tuple[str, ...]:
        """Wildcard paths, each once."""
        return tuple(dict.fromkeys(path for _, path in self.places))


def signature_of(
    route: str, comparison: Comparison, redact: Callable[[str], str] = str
) -> Signature:
    """Give the signature of a MISMATCH; its places are shown as `redact` leaves them."""
    places = [(kind, storable(path)) for kind, path in comparison.places[:PLACES_MAX]]
    named = orjson.dumps([route, places])
    shown = tuple((kind, shortened(redact(path), PATH_MAX)) for kind, path in places)
    return Signature(hashlib.blake2b(named, digest_size=8).hexdigest(), route, shown)
