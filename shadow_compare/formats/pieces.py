"""Content as a flat sequence of pieces, and where two such sequences differ.

A piece has a slot (what it is: a heading, the target of a link, the value of one field), a value,
and a place that only becomes a path when there is something to say about it. Pieces that are equal
are the same piece wherever they stand in the markup; of the others, those between the same
neighbours belong together by their slot, first at the same path, then in order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final

from shadow_compare.difference import Extra, Missing, Reordered
from shadow_compare.formats.alignment import Pair, align, gaps, moved
from shadow_compare.paths import Path
from shadow_compare.structure import Walk

MOVED_SHOWN: Final = 20
"""Pieces in another order that are shown of one place."""


@dataclass(slots=True)
class Pieces:
    """Slot and value of each piece, and beside it its place, in the order of the content."""

    keys: list[tuple[str, Any]] = field(default_factory=list)
    places: list[Any] = field(default_factory=list)

    def add(self, slot: str, value: Any, place: Any) -> None:
        """Take a piece in."""
        self.keys.append((slot, value))
        self.places.append(place)


@dataclass(frozen=True, slots=True)
class Manner:
    """How pieces of one format are named, and how two that belong together are compared.

    `is_same` says whether what stands between the same neighbours is the same after all, although
    it was cut into pieces otherwise.
    """

    path: Callable[[Any], Path]
    compare: Callable[[Walk, str, Any, Any, Path], None]
    is_same: Callable[[Pieces, range, Pieces, range], bool] = lambda *_: False


def compare_pieces(walk: Walk, old: Pieces, new: Pieces, manner: Manner) -> None:
    """Take down all differences between two sequences of pieces."""
    if old.keys == new.keys:
        return
    _Comparing(walk, old, new, manner).run()


class _Comparing:
    def __init__(self, walk: Walk, old: Pieces, new: Pieces, manner: Manner) -> None:
        self._walk = walk
        self._old = old
        self._new = new
        self._manner = manner

    def run(self) -> None:
        pairs = align(self._old.keys, self._new.keys)
        between = [
            (olds, news)
            for olds, news in gaps(pairs, len(self._old.keys), len(self._new.keys))
            if not self._manner.is_same(self._old, olds, self._new, news)
        ]
        self._walk.spend(sum(len(olds) + len(news) for olds, news in between))
        olds, news = self._leave_out_moved(
            [i for run, _ in between for i in run], [j for _, run in between for j in run]
        )
        for old_run, new_run in between:
            self._gap([i for i in old_run if i in olds], [j for j in new_run if j in news])

    def _leave_out_moved(self, olds: list[int], news: list[int]) -> tuple[set[int], set[int]]:
        """Report pieces that stand elsewhere, by place; give those that are left."""
        pairs = moved(self._old.keys, self._new.keys, olds, news)
        by_path: dict[Path, list[Pair]] = {}
        for pair in pairs:
            by_path.setdefault(self._old_path(pair[0]), []).append(pair)
        for path, found in by_path.items():
            shown = found[:MOVED_SHOWN]
            self._walk.add(
                Reordered(
                    path,
                    [self._old.keys[i][1] for i, _ in shown],
                    [self._new.keys[j][1] for _, j in sorted(shown, key=lambda pair: pair[1])],
                )
            )
        return set(olds) - {i for i, _ in pairs}, set(news) - {j for _, j in pairs}

    def _gap(self, olds: list[int], news: list[int]) -> None:
        old_paths = {i: self._old_path(i) for i in olds}
        new_paths = {j: self._new_path(j) for j in news}
        pairs = self._paired(
            olds, news,
            [(self._old.keys[i][0], old_paths[i]) for i in olds],
            [(self._new.keys[j][0], new_paths[j]) for j in news],
        )  # fmt: skip
        taken_old, taken_new = {i for i, _ in pairs}, {j for _, j in pairs}
        olds = [i for i in olds if i not in taken_old]
        news = [j for j in news if j not in taken_new]
        pairs += self._paired(
            olds, news, [self._old.keys[i][0] for i in olds], [self._new.keys[j][0] for j in news]
        )
        news_of = dict(pairs)
        for i, path in old_paths.items():
            if i in news_of:
                slot, before = self._old.keys[i]
                self._manner.compare(self._walk, slot, before, self._new.keys[news_of[i]][1], path)
            else:
                self._walk.add(Missing(path, self._old.keys[i][1]))
        paired = set(news_of.values())
        for j, path in new_paths.items():
            if j not in paired:
                self._walk.add(Extra(path, new=self._new.keys[j][1]))

    @staticmethod
    def _paired(
        olds: list[int], news: list[int], old_marks: list[Any], new_marks: list[Any]
    ) -> list[Pair]:
        """Pair pieces of the same mark in the order in which they stand."""
        waiting: defaultdict[Hashable, list[int]] = defaultdict(list)
        for j, mark in zip(reversed(news), reversed(new_marks), strict=True):
            waiting[mark].append(j)
        return [
            (i, waiting[mark].pop())
            for i, mark in zip(olds, old_marks, strict=True)
            if waiting.get(mark)
        ]

    def _old_path(self, index: int) -> Path:
        return self._manner.path(self._old.places[index])

    def _new_path(self, index: int) -> Path:
        return self._manner.path(self._new.places[index])
