"""Which elements belong together whose numbers are only close: by what else is equal, then by size.

A form has one value for all that are the same; what is close to something has no such value, as of
three numbers in a row the outer two may be too far apart. So elements are put in order of their
numbers, and two that meet there are asked whether they count as the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from shadow_compare.equivalence import numeral
from shadow_compare.json_value import Json, number_of
from shadow_compare.moments import instant_of

Magnitudes = tuple[float, ...]


def magnitudes(value: Json, zone: ZoneInfo) -> Magnitudes:
    """Give every number and time in a value, by the names of members and the order of elements."""
    return tuple(_magnitudes(value, zone))


def pair_near(
    olds: Mapping[int, tuple[Hashable, Magnitudes]],
    news: Mapping[int, tuple[Hashable, Magnitudes]],
    is_same: Callable[[int, int], bool],
) -> list[tuple[int, int]]:
    """Pair indexes of elements that have the same form but for their magnitudes.

    `is_same` decides about two; it is asked once for each element at most.
    """
    found: list[tuple[int, int]] = []
    others = _by_form(news)
    for form, group in _by_form(olds).items():
        one = sorted(group, key=lambda i: olds[i][1])
        other = sorted(others.get(form, ()), key=lambda j: news[j][1])
        found += _merged(one, other, olds, news, is_same)
    return found


def _by_form(elements: Mapping[int, tuple[Hashable, Magnitudes]]) -> dict[Hashable, list[int]]:
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for index, (form, _) in elements.items():
        groups[form].append(index)
    return groups


def _merged(
    one: Sequence[int],
    other: Sequence[int],
    olds: Mapping[int, tuple[Hashable, Magnitudes]],
    news: Mapping[int, tuple[Hashable, Magnitudes]],
    is_same: Callable[[int, int], bool],
) -> Iterator[tuple[int, int]]:
    at, to = 0, 0
    while at < len(one) and to < len(other):
        i, j = one[at], other[to]
        if is_same(i, j):
            yield i, j
            at, to = at + 1, to + 1
        elif olds[i][1] < news[j][1]:
            at += 1
        else:
            to += 1


def _magnitudes(value: Json, zone: ZoneInfo) -> Iterator[float]:
    if isinstance(value, dict):
        for name in sorted(value):
            yield from _magnitudes(value[name], zone)
    elif isinstance(value, list):
        for each in value:
            yield from _magnitudes(each, zone)
    else:
        number = numeral(value) if isinstance(value, str) else number_of(value)
        if number is not None:
            yield float(number)
        elif (instant := instant_of(value, zone)) is not None:
            yield instant
