"""Whether two values are the same JSON for certain, but for the order of members.

It asks for no rule and builds no path, which is why most of most answers are passed over with it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from shadow_compare.budget import Budget
from shadow_compare.json_value import DEPTH_MAX, Json, is_same_scalar

_SPELT: Final = frozenset[type]({float, Decimal})
_NODES_AT_ONCE: Final = 4
"""Members that are passed over in the time in which the walk looks at one node."""
_NOTHING: Final[Any] = object()


def is_same(old: Json, new: Json, budget: Budget, depth: int = DEPTH_MAX) -> bool:
    """Whether both are surely the same; False may mean not known, as for nesting beyond `depth`.

    Types count, as Python's equality takes 1 for true and for 1.0. What is none of JSON's types is
    the business of whoever put it there.
    """
    if type(old) is not type(new):
        return False
    if isinstance(old, dict):
        return _are_same_objects(old, new, budget, depth)
    if isinstance(old, list):
        return _are_same_arrays(old, new, budget, depth)
    if old is None:
        return True
    if isinstance(old, str) or isinstance(old, int):  # noqa: SIM101 - as one it is slow compiled
        return bool(old == new)
    return type(old) in _SPELT and is_same_scalar(old, new)


def _are_same_objects(
    old: dict[str, Json], new: dict[str, Json], budget: Budget, depth: int
) -> bool:
    if len(old) != len(new) or depth == 0:
        return False
    budget.spend(1 + len(old) // _NODES_AT_ONCE)
    for name, before in old.items():
        after = new.get(name, _NOTHING)
        if type(before) is str:  # as most are
            if type(after) is not str or before != after:
                return False
        elif not is_same(before, after, budget, depth - 1):
            return False
    return True


def _are_same_arrays(old: list[Json], new: list[Json], budget: Budget, depth: int) -> bool:
    if len(old) != len(new) or depth == 0:
        return False
    budget.spend(1 + len(old) // _NODES_AT_ONCE)
    return all(is_same(before, new[at], budget, depth - 1) for at, before in enumerate(old))
