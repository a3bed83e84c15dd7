"""Which groups of differences are wanted (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, get_args

from shadow_compare.difference import Difference
from shadow_compare.searched import words_of

KINDS: Final[tuple[str, ...]] = tuple(each.kind for each in get_args(Difference))
SEARCH_MAX: Final = 200
"""Characters of a search."""
WORDS_MAX: Final = 10
"""Words of a search that are looked for: each is looked for in every group that there is."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a group must be to be listed; what is None, or empty, lets all pass.

    `since_version` is the first version of the rules under which it may have been seen first.
    `search` are words, each of which must be a part of its route, kinds, places or values.
    """

    route: str | None = None
    state: str | None = None
    kind: str | None = None
    critical: bool | None = None
    since_version: int | None = None
    search: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """What is looked for, as `searched` folds it."""
        return words_of(self.search[:SEARCH_MAX])[:WORDS_MAX]


EVERY_GROUP: Final = Filters()
