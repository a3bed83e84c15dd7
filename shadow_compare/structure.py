"""The walk over two JSON values that finds where they differ, within a budget."""

from __future__ import annotations

from datetime import date
from typing import Final

from shadow_compare.canonical import canonicalizer
from shadow_compare.difference import (
    ABSENT,
    Difference,
    Extra,
    LengthChanged,
    Missing,
    Reordered,
    TypeChanged,
    ValueChanged,
)
from shadow_compare.json_value import DEPTH_MAX, Json, is_same_scalar, type_name
from shadow_compare.normalize import NotComparableError
from shadow_compare.pairing import Pairing, key_of, pair_by_content, pair_by_key
from shadow_compare.paths import Aspect, Element, Path, Segment
from shadow_compare.rules import CompareRules

KEPT_MAX: Final = 100
"""Differences kept with their values; further ones only count for the signature."""
_PLAIN: Final = frozenset({str, int, bool, type(None)})
"""Types whose equality is that of their JSON; a float's is not (9.90, 9.9)."""


class _DifferError(Exception):
    """A trial has met a difference that counts."""


class Walk:
    """Collects what differs; raises NotComparableError when the budget of nodes is spent."""

    def __init__(self, rules: CompareRules, today: date, nodes: int) -> None:
        self.differences: list[Difference] = []
        self.ignored: list[Difference] = []
        self.places: dict[tuple[str, str], None] = {}
        self.fired: dict[str, int] = {}
        self.critical = False
        self._rules = rules
        self._today = today
        self._nodes = nodes
        self._trial = False
        self._canonical = canonicalizer(rules, today)

    def add(self, difference: Difference) -> None:
        """Take a difference down, as ignored when a rule in force says so."""
        rule = self._rules.ignored_by(difference.path, self._today)
        if rule is not None:
            self._fire(rule.name)
            _keep(self.ignored, difference)
            return
        if self._trial:
            raise _DifferError
        self.places[difference.kind, difference.place] = None
        self.critical = self.critical or self._rules.is_critical(difference.path)
        _keep(self.differences, difference)

    def _fire(self, rule: str) -> None:
        self.fired[rule] = self.fired.get(rule, 0) + 1

    def compare(self, old: Json, new: Json, path: Path) -> None:
        """Compare two values that stand at the same place."""
        if isinstance(old, dict) and isinstance(new, dict):
            self._objects(old, new, path)
        elif isinstance(old, list) and isinstance(new, list):
            self._arrays(old, new, path)
        elif not is_same_scalar(old, new):
            self._unlike(old, new, path)

    def _unlike(self, old: Json, new: Json, path: Path) -> None:
        rule = self._rules.equivalent(old, new, path)
        if rule is not None:
            self._fire(rule)
        elif type_name(old) == type_name(new):
            self.add(ValueChanged(path, old, new))
        else:
            self.add(TypeChanged(path, old, new))

    def _objects(self, old: dict[str, Json], new: dict[str, Json], path: Path) -> None:
        self._spend(len(old) + len(new), path)
        for name, before in old.items():
            after = new.get(name, ABSENT)
            kind = type(before)
            if kind is type(after) and kind in _PLAIN and before == after:
                continue  # nearly every member of nearly every answer
            if after is ABSENT:
                self.add(Missing((*path, name), before))
            else:
                self.compare(before, after, (*path, name))
        for name in new.keys() - old.keys() if new.keys() != old.keys() else ():
            self.add(Extra((*path, name), new=new[name]))

    def _arrays(self, old: list[Json], new: list[Json], path: Path) -> None:
        self._spend(len(old) + len(new), path)
        if len(old) != len(new):
            self.add(LengthChanged((*path, Aspect.LENGTH), len(old), len(new)))
        key = self._rules.key_of(path)
        pairing = self._keyed(old, new, path, key) if key is not None else None
        if pairing is not None:
            self._paired(old, new, path, pairing, key)
        else:
            self._unkeyed(old, new, path)

    def _paired(
        self, old: list[Json], new: list[Json], path: Path, pairing: Pairing, key: str | None
    ) -> None:
        if pairing.reordered:
            self.add(Reordered((*path, Aspect.ORDER), *_orders(pairing)))
        for i, j in pairing.pairs:
            self.compare(old[i], new[j], (*path, _segment(old[i], i, key)))
        for i in pairing.missing:
            self.add(Missing((*path, _segment(old[i], i, key)), old[i]))
        for j in pairing.extra:
            self.add(Extra((*path, _segment(new[j], j, key)), new=new[j]))

    def _keyed(self, old: list[Json], new: list[Json], path: Path, key: str) -> Pairing | None:
        before, after = _plain_keys(old, key), _plain_keys(new, key)
        if before is not None and after is not None:
            pairing = pair_by_key(before, after)
            if pairing is not None and not (pairing.missing and pairing.extra):
                return pairing
        # A key may be spelt in two ways, as any other value.
        member: Path = (*path, 0, key)
        olds = [self._canonical(key_of(each, key), member) for each in old]
        news = [self._canonical(key_of(each, key), member) for each in new]
        if None in olds or None in news:
            return None
        return pair_by_key(olds, news)

    def _unkeyed(self, old: list[Json], new: list[Json], path: Path) -> None:
        """Take equal elements off both ends, and pair what is left by content."""
        shorter = min(len(old), len(new))
        head = 0
        while head < shorter and self._is_same(old[head], new[head], (*path, head)):
            head += 1
        tail = 0
        while tail < shorter - head and self._is_same(
            old[-1 - tail], new[-1 - tail], (*path, len(old) - 1 - tail)
        ):
            tail += 1
        if head + tail < max(len(old), len(new)):
            self._middle(old, new, path, range(head, len(old) - tail), range(head, len(new) - tail))

    def _middle(
        self, old: list[Json], new: list[Json], path: Path, olds: range, news: range
    ) -> None:
        if self._trial:  # the ends do not meet, and that is all a trial asks
            raise _DifferError
        if len(olds) == len(news) == 1:
            self.compare(old[olds[0]], new[news[0]], (*path, olds[0]))
            return
        self._spend(_weight([old[i] for i in olds]) + _weight([new[j] for j in news]), path)
        pairing = pair_by_content(
            [self._canonical(old[i], (*path, i)) for i in olds],
            [self._canonical(new[j], (*path, j)) for j in news],
        )
        self._paired(old, new, path, pairing.shifted(olds.start), None)

    def _is_same(self, old: Json, new: Json, path: Path) -> bool:
        """Whether two elements have no difference that counts; if not, nothing is taken down."""
        fired, ignored, trial = dict(self.fired), len(self.ignored), self._trial
        self._trial = True
        try:
            self.compare(old, new, path)
        except _DifferError:
            self.fired = fired
            del self.ignored[ignored:]
            return False
        finally:
            self._trial = trial
        return True

    def _spend(self, nodes: int, path: Path) -> None:
        self._nodes -= nodes
        if self._nodes < 0:
            raise NotComparableError("too_big")
        if len(path) > DEPTH_MAX:
            raise NotComparableError("too_deep")


def _keep(kept: list[Difference], difference: Difference) -> None:
    if len(kept) < KEPT_MAX:
        kept.append(difference)


def _plain_keys(elements: list[Json], key: str) -> list[str | int] | None:
    """Give the keys when all are strings or all are integers, which is nearly always."""
    keys = [key_of(each, key) for each in elements]
    return keys if {type(each) for each in keys} in ({int}, {str}) else None


def _segment(element: Json, index: int, key: str | None) -> Segment:
    return index if key is None else Element(key, str(key_of(element, key)), index)


def _orders(pairing: Pairing) -> tuple[list[int], list[int]]:
    return [i for i, _ in pairing.pairs], [j for _, j in pairing.pairs]


def _weight(value: Json) -> int:
    """Count the nodes of a value, iteratively: it is what the canonical form will cost."""
    count, waiting = 0, [value]
    while waiting:
        node = waiting.pop()
        count += 1
        if isinstance(node, dict):
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return count
