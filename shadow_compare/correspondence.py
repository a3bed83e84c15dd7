"""Which name on one side belongs to which on the other, for ids and tokens that each side makes.

What legacy calls 981 modern calls 7f3a. Such a place is not ignored: one exchange teaches the
pair, and from then on either name must come with its partner.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from shadow_compare.json_value import Json

PAIRS_MAX: Final = 10_000
"""Pairs remembered for one scope; the ones that were not met for longest make room."""
_VERBATIM_MAX: Final = 128
_NAME_MAX: Final = 4096

Scope = str
"""What the names are of: all places that share a scope share their pairs."""

Key = str | bytes
"""A name as it is known: its text, or of a long one a hash, from which nobody gets it back."""


def is_name(value: Json) -> bool:
    """Whether a value can be an id or a token; other values are compared as they are."""
    if type(value) is str:
        return 0 < len(value) <= _NAME_MAX
    return type(value) is int


class Correspondence:
    """Partial bijections between the names of both sides, one for each scope."""

    def __init__(self, pairs_max: int = PAIRS_MAX) -> None:
        self._pairs_max = pairs_max
        self._scopes: dict[Scope, _Pairs] = {}

    def modern_of(self, scope: Scope, legacy: Json) -> Key | None:
        """Give what modern calls it, in the form that `key_of` gives, or None."""
        pairs = self._scopes.get(scope)
        return None if pairs is None else pairs.modern.get(key_of(legacy))

    def legacy_of(self, scope: Scope, modern: Json) -> Key | None:
        """Give what legacy calls it, in the form that `key_of` gives, or None."""
        pairs = self._scopes.get(scope)
        return None if pairs is None else pairs.legacy.get(key_of(modern))

    def learn(self, scope: Scope, legacy: Json, modern: Json) -> bool:
        """Take a pair in, or see it again; False when it contradicts what is known."""
        pairs = self._scopes.setdefault(scope, _Pairs())
        return pairs.learn(key_of(legacy), key_of(modern), self._pairs_max)

    def only(self, scopes: Iterable[Scope]) -> Correspondence:
        """Give these scopes alone, with the very same pairs."""
        found = Correspondence(self._pairs_max)
        found._scopes = {each: self._scopes[each] for each in scopes if each in self._scopes}
        return found

    def keep(self, scopes: Iterable[Scope]) -> None:
        """Forget all scopes but these."""
        kept = set(scopes)
        self._scopes = {scope: pairs for scope, pairs in self._scopes.items() if scope in kept}

    def __len__(self) -> int:
        return sum(len(pairs.modern) for pairs in self._scopes.values())


class _Pairs:
    """One partial bijection, both ways round, the pair met last at the end."""

    def __init__(self) -> None:
        self.modern: OrderedDict[Key, Key] = OrderedDict()
        self.legacy: dict[Key, Key] = {}

    def learn(self, legacy: Key, modern: Key, pairs_max: int) -> bool:
        if legacy in self.modern or modern in self.legacy:
            if self.modern.get(legacy) != modern:
                return False
            self.modern.move_to_end(legacy)
            return True
        self.modern[legacy] = modern
        self.legacy[modern] = legacy
        if len(self.modern) > pairs_max:
            _, forgotten = self.modern.popitem(last=False)
            del self.legacy[forgotten]
        return True


def key_of(name: Json) -> Key:
    """Give the form of a name by which it is known: `981` and `"981"` are one; long ones hashed."""
    text = str(name)
    if len(text) <= _VERBATIM_MAX:
        return text
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
