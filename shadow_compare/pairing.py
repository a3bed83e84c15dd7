"""Which element of one array belongs to which of another: by key, by content, by position."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shadow_compare.json_value import Json

ALIGN_CELLS_MAX = 250_000
"""Two arrays of 500 changed elements each; beyond it they are paired by position."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Indexes that belong together, those left over, and whether pairs changed their order."""

    pairs: tuple[tuple[int, int], ...]
    missing: tuple[int, ...]
    extra: tuple[int, ...]

    @property
    def reordered(self) -> bool:
        """Whether the pairs, in the old order, are not in order on the new side."""
        return any(a[1] > b[1] for a, b in pairwise(self.pairs))

    def shifted(self, by: int) -> Pairing:
        """Give the same pairing for arrays with `by` more elements in front."""
        return Pairing(
            tuple((i + by, j + by) for i, j in self.pairs),
            tuple(i + by for i in self.missing),
            tuple(j + by for j in self.extra),
        )


def pair_by_key(old: Sequence[Hashable], new: Sequence[Hashable]) -> Pairing | None:
    """Pair elements by the value of their key; None when a key stands twice on a side."""
    at = {key: index for index, key in enumerate(new)}
    if len(at) != len(new) or len(set(old)) != len(old):
        return None
    pairs = tuple((index, at[key]) for index, key in enumerate(old) if key in at)
    return _with_the_rest(pairs, len(old), len(new))


def pair_by_content(old_forms: Sequence[Hashable], new_forms: Sequence[Hashable]) -> Pairing:
    """Pair elements of equal canonical form, in order as far as possible, then what lies between.

    Elements that kept their place relative to each other are found first (a longest common
    subsequence), then those that moved; the others changed, and pair up in their gaps.
    """
    number: dict[Hashable, int] = {}  # of a form: comparing numbers is cheap, comparing forms not
    old = [number.setdefault(form, len(number)) for form in old_forms]
    new = [number.setdefault(form, len(number)) for form in new_forms]
    kept = _common_subsequence(old, new)
    moved = _moved(old, new, kept)
    anchors = [(-1, -1), *kept, (len(old), len(new))]
    taken_old, taken_new = {a for a, _ in moved}, {b for _, b in moved}
    changed: list[tuple[int, int]] = []
    for (a, b), (next_a, next_b) in pairwise(anchors):
        changed += zip(
            [i for i in range(a + 1, next_a) if i not in taken_old],
            [j for j in range(b + 1, next_b) if j not in taken_new],
            strict=False,
        )
    return _with_the_rest(tuple(sorted(kept + moved + changed)), len(old), len(new))


def _with_the_rest(pairs: tuple[tuple[int, int], ...], olds: int, news: int) -> Pairing:
    paired_old, paired_new = {a for a, _ in pairs}, {b for _, b in pairs}
    return Pairing(
        pairs,
        tuple(i for i in range(olds) if i not in paired_old),
        tuple(j for j in range(news) if j not in paired_new),
    )


def _moved(old: list[int], new: list[int], kept: list[tuple[int, int]]) -> list[tuple[int, int]]:
    kept_old, kept_new = {a for a, _ in kept}, {b for _, b in kept}
    waiting: defaultdict[int, list[int]] = defaultdict(list)
    for j in range(len(new) - 1, -1, -1):
        if j not in kept_new:
            waiting[new[j]].append(j)
    return [
        (i, waiting[form].pop())
        for i, form in enumerate(old)
        if i not in kept_old and waiting.get(form)
    ]


def _common_subsequence(old: list[int], new: list[int]) -> list[tuple[int, int]]:
    """Longest common subsequence, over the elements whose form both sides have."""
    shared = set(old) & set(new)
    olds = [i for i, form in enumerate(old) if form in shared]
    news = [j for j, form in enumerate(new) if form in shared]
    if len(olds) * len(news) > ALIGN_CELLS_MAX:
        return []
    return [(olds[i], news[j]) for i, j in _longest([old[i] for i in olds], [new[j] for j in news])]


def _longest(old: list[int], new: list[int]) -> list[tuple[int, int]]:
    """Fill the textbook table from the end, then read it from the start."""
    lengths = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) - 1, -1, -1):
        row, below = lengths[i], lengths[i + 1]
        for j in range(len(new) - 1, -1, -1):
            row[j] = below[j + 1] + 1 if old[i] == new[j] else max(below[j], row[j + 1])
    found: list[tuple[int, int]] = []
    i = j = 0
    while i < len(old) and j < len(new):
        if old[i] == new[j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return found


def key_of(element: Json, member: str) -> Json:
    """Give what identifies an element, or None when it has no such member."""
    return element.get(member) if isinstance(element, dict) else None
