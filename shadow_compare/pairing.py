"""Which element of one array belongs to which of another: by key, by content, by position."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

MATCHES_MAX: Final = 500_000
"""Pairs of equal elements looked at to find the longest common subsequence: half a second."""

EDITS_MAX: Final = 64
STEPS_MAX: Final = 10_000_000
"""What is done for arrays of many equal elements instead; the product of length and edits."""

Near = Callable[[Sequence[int], Sequence[int]], list[tuple[int, int]]]
"""Pairs indexes of both sides whose elements have other forms, and count as the same."""

_Run = tuple[int, int, Any]
"""A match, and the run before it (a _Run) or None."""


def _nothing_near(_olds: Sequence[int], _news: Sequence[int]) -> list[tuple[int, int]]:
    return []


@dataclass(frozen=True, slots=True)
class Pairing:
    """Indexes that belong together, those left over, and whether pairs changed their order."""

    pairs: tuple[tuple[int, int], ...]
    missing: tuple[int, ...]
    extra: tuple[int, ...]

    @property
    def reordered(self) -> bool:
        """Whether the pairs, in the old order, are not in order on the new side."""
        places = [j for _, j in self.pairs]
        return places != sorted(places)

    @property
    def is_moved(self) -> bool:
        """Whether anything stands where it would not have been looked for."""
        return bool(self.missing or self.extra) or self.reordered

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
    if len(at) != len(new):
        return None
    if old == new:
        return Pairing(tuple(zip(range(len(old)), range(len(old)), strict=True)), (), ())
    if len(set(old)) != len(old):
        return None
    pairs = tuple((index, at[key]) for index, key in enumerate(old) if key in at)
    return _with_the_rest(pairs, len(old), len(new))


def pair_by_content(
    old_forms: Sequence[Hashable], new_forms: Sequence[Hashable], near: Near = _nothing_near
) -> Pairing:
    """Pair elements of equal canonical form, in order as far as possible, then what lies between.

    Elements that kept their place relative to each other are found first (a longest common
    subsequence), then those that moved, then those that are `near`; the others changed, and pair up
    in their gaps.
    """
    number: dict[Hashable, int] = {}  # of a form: comparing numbers is cheap, comparing forms not
    old = [number.setdefault(form, len(number)) for form in old_forms]
    new = [number.setdefault(form, len(number)) for form in new_forms]
    kept = _common_subsequence(old, new)
    moved = _moved(old, new, kept)
    moved += near(*_rest(kept + moved, len(old), len(new)))
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
    return Pairing(pairs, *_rest(pairs, olds, news))


def _rest(
    pairs: Sequence[tuple[int, int]], olds: int, news: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Give the indexes of either side that are in no pair."""
    paired_old, paired_new = {a for a, _ in pairs}, {b for _, b in pairs}
    return (
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
    """Longest common subsequence; empty where too much has changed among many equal elements."""
    at = _positions(new)
    if sum(len(at.get(form, ())) for form in old) <= MATCHES_MAX:
        return _longest(old, at)
    return _with_few_edits(old, new, min(EDITS_MAX, STEPS_MAX // (len(old) + len(new))))


def _positions(forms: Sequence[Hashable]) -> dict[Hashable, list[int]]:
    """Give where each form stands, the last place first."""
    found: defaultdict[Hashable, list[int]] = defaultdict(list)
    for j in range(len(forms) - 1, -1, -1):
        found[forms[j]].append(j)
    return found


def _longest(old: Sequence[Hashable], at: Mapping[Hashable, list[int]]) -> list[tuple[int, int]]:
    """Find the longest rising run of matches (Hunt and Szymanski, CACM 20(5), 1977).

    `ends[k]` is where the best run of k + 1 matches ends on the new side, `runs[k]` that run, as
    its last match and the run before. Time is by the number of matches, not of cells of a table.
    """
    ends: list[int] = []
    runs: list[_Run] = []
    for i, form in enumerate(old):
        for j in at.get(form, ()):
            k = bisect_left(ends, j)
            run = (i, j, runs[k - 1] if k else None)
            if k == len(ends):
                ends.append(j)
                runs.append(run)
            else:
                ends[k] = j
                runs[k] = run
    found: list[tuple[int, int]] = []
    last = runs[-1] if runs else None
    while last is not None:
        i, j, last = last
        found.append((i, j))
    return found[::-1]


def _with_few_edits(old: list[int], new: list[int], edits_max: int) -> list[tuple[int, int]]:
    """Find the longest common subsequence if so many elements are in one array only (Myers 1986).

    `furthest[k]` is how far in the old array one comes on diagonal k (index on the old side less
    index on the new one) with the edits so far; before each edit a copy is kept for the way back.
    """
    furthest = {1: 0}
    before: list[dict[int, int]] = []
    for edits in range(edits_max + 1):
        before.append(dict(furthest))
        for k in range(-edits, edits + 1, 2):
            i = _entered(furthest, k, edits)[0]
            while i < len(old) and 0 <= i - k < len(new) and old[i] == new[i - k]:
                i += 1
            furthest[k] = i
            if i >= len(old) and i - k >= len(new):
                return _way_back(before, len(old), len(new))
    return []


def _entered(furthest: Mapping[int, int], k: int, edits: int) -> tuple[int, int]:
    """Give where diagonal k is entered by one more edit, and from which diagonal."""
    if k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1]):
        return furthest[k + 1], k + 1
    return furthest[k - 1] + 1, k - 1


def _way_back(before: list[dict[int, int]], i: int, j: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for edits in range(len(before) - 1, -1, -1):
        entered, came_from = _entered(before[edits], i - j, edits)
        found += zip(range(i - 1, entered - 1, -1), range(j - 1, -1, -1), strict=False)
        i = before[edits][came_from]
        j = i - came_from
    return found[::-1]
