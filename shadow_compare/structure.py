"""The walk over two trees that finds where they differ, within a budget."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import date
from functools import partial
from typing import ClassVar, Final

from shadow_compare.budget import Budget, check_depth
from shadow_compare.canonical import Canonicalizer
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
from shadow_compare.findings import Findings
from shadow_compare.json_value import Json, is_same_scalar, type_name
from shadow_compare.near import Magnitudes, magnitudes, pair_near
from shadow_compare.pairing import Pairing, pair_by_content, pair_by_key
from shadow_compare.paths import Aspect, Element, Path, Segment
from shadow_compare.rules import CompareRules
from shadow_compare.same import is_same

_PLAIN: Final = frozenset({str, int, bool, type(None)})
"""Types whose equality is that of their JSON; a float's is not (0.0, -0.0), nor a Decimal's."""


class _DifferError(Exception):
    """A trial has met a difference that counts."""


class Walk:
    """Tells what differs to `findings`; raises NotComparableError when the budget is spent."""

    looks_at_equals: ClassVar[bool] = False
    """Whether it is to be used for two values that are the same."""

    def __init__(self, rules: CompareRules, today: date, budget: Budget) -> None:
        self.findings = Findings()
        self._rules = rules
        self._today = today
        self.budget: Final = budget
        self._trial = False
        self._forms: Canonicalizer | None = None

    def add(self, difference: Difference) -> None:
        """Take a difference down, as ignored when a rule in force says so."""
        rule = self._rules.ignored_by(difference.path, self._today)
        if rule is not None:
            self.findings.ignore(difference, rule)
        elif self._trial:
            raise _DifferError
        else:
            expired = self._rules.expired_at(difference.path, self._today)
            if expired is not None:
                self.findings.fire(f"expired:{expired.path}")
            critical = self._rules.critical_at(difference.path)
            if critical:
                self.findings.fire(critical)
            self.findings.add(difference, critical=bool(critical))

    def compare(self, old: Json, new: Json, path: Path) -> None:
        """Compare two values that stand at the same place."""
        kind, other = type(old), type(new)
        if kind is dict and other is dict:
            self._objects(old, new, path)
        elif kind is list and other is list:
            self._arrays(old, new, path)
        elif kind not in _PLAIN or other not in _PLAIN:
            if not is_same_scalar(old, new):
                self._unlike(old, new, path)
        elif kind is not other or old != new:
            self._unlike(old, new, path)

    def finish(self) -> None:
        """Conclude, when everything has been walked over."""

    def spend(self, nodes: int) -> None:
        """Take from the budget; raises NotComparableError."""
        self.budget.spend(nodes)

    def _unlike(self, old: Json, new: Json, path: Path) -> None:
        rule = self._rules.equivalent(old, new, path)
        if rule is not None:
            self.findings.fire(rule)
        elif type_name(old) == type_name(new):
            self.add(ValueChanged(path, old, new))
        else:
            self.add(TypeChanged(path, old, new))

    def _objects(self, old: dict[str, Json], new: dict[str, Json], path: Path) -> None:
        self.budget.spend(len(old) + len(new))
        check_depth(len(path))
        get = new.get
        for name, before in old.items():
            after = get(name, ABSENT)
            kind = type(before)
            if kind is type(after) and kind in _PLAIN and before == after:
                continue  # nearly every member of nearly every answer
            if after is ABSENT:
                self.add(Missing((*path, name), before))
            else:
                self.compare(before, after, (*path, name))
        if new.keys() != old.keys():
            for name in new:
                if name not in old:
                    self.add(Extra((*path, name), new=new[name]))

    def _arrays(self, old: list[Json], new: list[Json], path: Path) -> None:
        self.budget.spend(len(old) + len(new))
        check_depth(len(path))
        unlike: list[int] | None = None
        if len(old) != len(new):
            self.add(LengthChanged((*path, Aspect.LENGTH), len(old), len(new)))
        else:
            unlike = [at for at, before in enumerate(old) if not self._is_alike(before, new[at])]
            if not unlike:
                return
        keyed = self._rules.key_of(path)
        key, pairing = None, None
        if keyed is not None:
            key, rule = keyed
            if unlike is not None and _have_same_keys(old, new, key):
                for at in unlike:
                    self.compare(old[at], new[at], (*path, _segment(old[at], at, key)))
                return
            pairing = self._keyed(old, new, path, key)
            if pairing is not None and pairing.is_moved:
                self.findings.fire(rule)
        if pairing is not None:
            self._paired(old, new, path, pairing, key)
        else:
            self._unkeyed(old, new, path, unlike)

    def _paired(
        self, old: list[Json], new: list[Json], path: Path, pairing: Pairing, key: str | None
    ) -> None:
        if pairing.reordered:
            self.add(Reordered((*path, Aspect.ORDER), *_orders(pairing)))
        for i, j in pairing.pairs:
            if not self._is_alike(old[i], new[j]):
                self.compare(old[i], new[j], (*path, _segment(old[i], i, key)))
        for i in pairing.missing:
            self.add(Missing((*path, _segment(old[i], i, key)), old[i]))
        for j in pairing.extra:
            self.add(Extra((*path, _segment(new[j], j, key)), new=new[j]))

    def _keyed(self, old: list[Json], new: list[Json], path: Path, key: str) -> Pairing | None:
        before, after = _keys(old, key), _keys(new, key)
        if _are_plain(before) and _are_plain(after):
            pairing = pair_by_key(before, after)
            if pairing is not None and not (pairing.missing and pairing.extra):
                return pairing
        # A key may be spelt in two ways, as any other value.
        member: Path = (*path, 0, key)
        olds = self._canonical.values(before, member)
        news = self._canonical.values(after, member)
        if None in olds or None in news:
            return None
        return pair_by_key(olds, news)

    def _unkeyed(
        self, old: list[Json], new: list[Json], path: Path, unlike: list[int] | None
    ) -> None:
        """Take equal elements off both ends, and pair what is left by content.

        `unlike` are the places where two arrays of one length may differ.
        """
        if unlike is not None and len(unlike) == 1:
            at = unlike[0]
            self.compare(old[at], new[at], (*path, at))
            return
        shorter, longer = sorted((len(old), len(new)))
        head = unlike[0] if unlike else 0
        while head < shorter and self._is_same(old[head], new[head], path, head):
            head += 1
        if head == longer:
            return
        if self._trial:  # that something is left is all a trial asks
            raise _DifferError
        tail = 0
        while (
            head + tail + 1 < longer
            and head + tail < shorter
            and self._is_same(old[-1 - tail], new[-1 - tail], path, len(old) - 1 - tail)
        ):
            tail += 1
        self._middle(old, new, path, range(head, len(old) - tail), range(head, len(new) - tail))

    def _middle(
        self, old: list[Json], new: list[Json], path: Path, olds: range, news: range
    ) -> None:
        if len(olds) == len(news) == 1:
            self.compare(old[olds[0]], new[news[0]], (*path, olds[0]))
            return
        before, after = old[olds.start : olds.stop], new[news.start : news.stop]
        forms = self._canonical.both(before, after, path, olds.start)
        if self._rules.knows_near:
            pairing = pair_by_content(*forms, partial(self._near, before, after, path, olds.start))
        else:
            pairing = pair_by_content(*forms)
        self._paired(old, new, path, pairing.shifted(olds.start), None)

    def _near(
        self,
        before: list[Json],
        after: list[Json],
        path: Path,
        first: int,
        olds: Sequence[int],
        news: Sequence[int],
    ) -> list[tuple[int, int]]:
        """Pair those of two arrays, from index `first` on, that are only close to each other."""
        coarse = Canonicalizer(self._rules, self._today, self.budget, coarse=True)

        def placed(value: Json, at: int) -> tuple[Hashable, Magnitudes]:
            form = coarse.element(value, path, first + at)
            return form, magnitudes(value, self._rules.zone)

        def is_near(i: int, j: int) -> bool:
            before_trial = self.findings.mark()
            try:
                return self._is_same(before[i], after[j], path, first + i)
            finally:
                self.findings.forget(before_trial)  # the pair is still to be walked over

        return pair_near(
            {i: placed(before[i], i) for i in olds}, {j: placed(after[j], j) for j in news}, is_near
        )

    @property
    def _canonical(self) -> Canonicalizer:
        """Made when it is first needed: most answers have no array that asks for it."""
        if self._forms is None:
            self._forms = Canonicalizer(self._rules, self._today, self.budget)
        return self._forms

    def _is_same(self, old: Json, new: Json, path: Path, at: int) -> bool:
        """Whether two elements have no difference that counts; if not, nothing is taken down."""
        if self._is_alike(old, new):
            return True
        before, trial = self.findings.mark(), self._trial
        self._trial = True
        try:
            self.compare(old, new, (*path, at))
        except _DifferError:
            self.findings.forget(before)
            return False
        finally:
            self._trial = trial
        return True

    def _is_alike(self, old: Json, new: Json) -> bool:
        """Whether two values are the same for certain, so that no rule has to be asked.

        A trial ends at the first difference, and only looks at everything once.
        """
        return not self._trial and is_same(old, new, self.budget)


def _keys(elements: list[Json], key: str) -> list[Json]:
    return [each.get(key) if type(each) is dict else None for each in elements]


def _are_plain(keys: list[Json]) -> bool:
    """Whether all are strings or all are integers, which is nearly always."""
    return set(map(type, keys)) in ({int}, {str})


def _have_same_keys(old: list[Json], new: list[Json], key: str) -> bool:
    """Whether all elements of both have keys, each once, and in the same order."""
    before, after = _keys(old, key), _keys(new, key)
    return (
        before == after
        and _are_plain(before)
        and _are_plain(after)
        and len(set(before)) == len(before)
    )


def _segment(element: Json, index: int, key: str | None) -> Segment:
    return index if key is None else Element(key, str(element[key]), index)


def _orders(pairing: Pairing) -> tuple[list[int], list[int]]:
    return [i for i, _ in pairing.pairs], [j for _, j in pairing.pairs]
