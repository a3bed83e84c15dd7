"""What groups comparisons: the same kinds of difference in the same places of the same route."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import orjson

from shadow_compare.verdict import Comparison

PLACES_MAX: Final = 100
"""Places that make up a signature; an answer that differs in more is named by the first of them."""


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


def signature_of(route: str, comparison: Comparison) -> Signature:
    """Give the signature of a MISMATCH."""
    places = comparison.places[:PLACES_MAX]
    named = orjson.dumps([route, places])
    return Signature(hashlib.blake2b(named, digest_size=8).hexdigest(), route, places)
