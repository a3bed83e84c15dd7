"""Which entries of one long sequence are which of another: lines of a text, pieces of a page.

Entries that stand once on both sides are anchors (patience diff); between anchors the shortest edit
is looked for, with a limit on the steps of all together. So time grows with n log n, whatever the
sequences hold; where the steps run out, what lies between two anchors stays unaligned.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from typing import Final

STEPS_MAX: Final = 500_000
"""Of looking for the shortest edits: some tenths of a second."""

Pair = tuple[int, int]


def align(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Pair]:
    """Give indexes of equal entries, rising on both sides."""
    head = _common_head(old, new)
    tail = _common_tail(old, new, head)
    middle = _middle(old, new, range(head, len(old) - tail), range(head, len(new) - tail))
    return [
        *((i, i) for i in range(head)),
        *middle,
        *((len(old) - back, len(new) - back) for back in range(tail, 0, -1)),
    ]


def gaps(pairs: Sequence[Pair], old: int, new: int) -> Iterator[tuple[range, range]]:
    """Give what lies between aligned pairs of sequences of these lengths."""
    for (i, j), (next_i, next_j) in pairwise([(-1, -1), *pairs, (old, new)]):
        if next_i - i > 1 or next_j - j > 1:
            yield range(i + 1, next_i), range(j + 1, next_j)


def moved(
    old: Sequence[Hashable], new: Sequence[Hashable], olds: Sequence[int], news: Sequence[int]
) -> list[Pair]:
    """Pair those of the given indexes whose entries are equal, wherever they stand."""
    waiting: defaultdict[Hashable, list[int]] = defaultdict(list)
    for j in reversed(news):
        waiting[new[j]].append(j)
    return [(i, waiting[old[i]].pop()) for i in olds if waiting.get(old[i])]


def _common_head(old: Sequence[Hashable], new: Sequence[Hashable]) -> int:
    shorter = min(len(old), len(new))
    return next((i for i in range(shorter) if old[i] != new[i]), shorter)


def _common_tail(old: Sequence[Hashable], new: Sequence[Hashable], head: int) -> int:
    shorter = min(len(old), len(new)) - head
    return next((i for i in range(shorter) if old[-1 - i] != new[-1 - i]), shorter)


def _middle(
    old: Sequence[Hashable], new: Sequence[Hashable], olds: range, news: range
) -> Iterator[Pair]:
    anchors = _anchors(old, new, olds, news)
    edges = [(olds.start - 1, news.start - 1), *anchors, (olds.stop, news.stop)]
    shortest = _Shortest(old, new, STEPS_MAX)
    for (i, j), (next_i, next_j) in pairwise(edges):
        yield from shortest.pairs(range(i + 1, next_i), range(j + 1, next_j))
        if next_i < olds.stop:
            yield next_i, next_j


def _anchors(
    old: Sequence[Hashable], new: Sequence[Hashable], olds: range, news: range
) -> list[Pair]:
    """Entries that stand once on each side, as many as keep their order."""
    once_old, once_new = _once(old, olds), _once(new, news)
    shared = [(i, once_new[entry]) for entry, i in once_old.items() if entry in once_new]
    return _rising(shared)


def _once(entries: Sequence[Hashable], within: range) -> dict[Hashable, int]:
    counts = Counter(entries[i] for i in within)
    return {entries[i]: i for i in within if counts[entries[i]] == 1}


def _rising(pairs: list[Pair]) -> list[Pair]:
    """Longest subsequence in which the second index rises, too (patience sorting)."""
    tops: list[int] = []  # of each pile, its smallest second index
    at: list[int] = []  # and which pair that is
    below: list[int] = []  # of each pair, the one that it lies on
    for number, (_, j) in enumerate(pairs):
        pile = bisect_left(tops, j)
        below.append(at[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [j]
        at[pile : pile + 1] = [number]
    found: list[Pair] = []
    number = at[-1] if at else -1
    while number >= 0:
        found.append(pairs[number])
        number = below[number]
    return found[::-1]


class _Shortest:
    """Finds the shortest way from one run of entries to another, as long as its steps last.

    E. Myers, An O(ND) Difference Algorithm and Its Variations, 1986: with `d` entries to take out
    or put in, the furthest point on each diagonal follows from those with `d - 1`.
    """

    def __init__(self, old: Sequence[Hashable], new: Sequence[Hashable], steps: int) -> None:
        self._old = old
        self._new = new
        self._steps = steps

    def pairs(self, olds: range, news: range) -> list[Pair]:
        """Give the equal entries on that way; none when the steps do not suffice."""
        if not olds or not news:
            return []
        reached: dict[int, int] = {1: 0}
        rounds: list[dict[int, int]] = []
        for changes in range(len(olds) + len(news) + 1):
            rounds.append(dict(reached))
            self._steps -= 2 * changes + 1
            for diagonal in range(-changes, changes + 1, 2):
                x = self._furthest(reached, diagonal, changes, olds, news)
                if x == len(olds) and x - diagonal == len(news):
                    return _traced(rounds, olds, news)
            if self._steps < 0:
                break
        return []

    def _furthest(
        self, reached: dict[int, int], diagonal: int, changes: int, olds: range, news: range
    ) -> int:
        start = x = _entered(reached, diagonal, changes)
        y = x - diagonal
        while x < len(olds) and y < len(news) and self._old[olds[x]] == self._new[news[y]]:
            x, y = x + 1, y + 1
        self._steps -= x - start
        reached[diagonal] = x
        return x


def _is_down(reached: dict[int, int], diagonal: int, changes: int) -> bool:
    """Whether a diagonal is entered by putting an entry in, not by taking one out."""
    if diagonal in (-changes, changes):
        return diagonal == -changes
    return reached[diagonal - 1] < reached[diagonal + 1]


def _entered(reached: dict[int, int], diagonal: int, changes: int) -> int:
    if _is_down(reached, diagonal, changes):
        return reached[diagonal + 1]
    return reached[diagonal - 1] + 1


def _traced(rounds: list[dict[int, int]], olds: range, news: range) -> list[Pair]:
    """Walk back from the end, and take down each entry that was passed on both sides."""
    found: list[Pair] = []
    x, y = len(olds), len(news)
    for changes in range(len(rounds) - 1, -1, -1):
        diagonal = x - y
        entered = _entered(rounds[changes], diagonal, changes)
        found += ((olds[i], news[i - diagonal]) for i in range(x - 1, entered - 1, -1))
        if _is_down(rounds[changes], diagonal, changes):
            x, y = entered, entered - diagonal - 1
        else:
            x, y = entered - 1, entered - diagonal
    return found[::-1]
