"""The peer, in two forms: as it comes, and told the same rules as ours."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

Compare = Callable[[bytes, bytes], object]


def forms() -> dict[str, Compare]:
    """Give the ways to compare two JSON texts with DeepDiff; none where it is not installed.

    `rules`: rows by their id, one path left out, and an operator that knows the spellings, which is
    asked for texts and for values of two types only. `plain`: no option, so none of this.
    """
    try:
        deepdiff = importlib.import_module("deepdiff").DeepDiff
    except ModuleNotFoundError:
        print("DeepDiff is not installed (uv sync --group bench): our figures only, no ratios.")
        return {}
    options = {
        "exclude_paths": ["root['meta']['generated_at']"],
        "iterable_compare_func": _is_same_row(),
        "custom_operators": [_spellings()],
    }
    return {
        "rules": lambda old, new: deepdiff(orjson.loads(old), orjson.loads(new), **options),
        "plain": lambda old, new: deepdiff(orjson.loads(old), orjson.loads(new)),
    }


def _is_same_row() -> Callable[..., bool]:
    cannot_compare = importlib.import_module("deepdiff.helper").CannotCompare

    def is_same_row(old: Any, new: Any, _level: Any = None) -> bool:
        try:
            return bool(old["id"] == new["id"])
        except (KeyError, TypeError):
            raise cannot_compare from None

    return is_same_row


def _spellings() -> Any:
    base: Any = importlib.import_module("deepdiff.operator").BaseOperator

    class Spellings(base):  # type: ignore[misc] # known when the bench runs
        def match(self, level: Any) -> bool:
            return type(level.t1) is not type(level.t2) or type(level.t1) is str

        def give_up_diffing(self, level: Any, diff_instance: Any) -> bool:  # noqa: ARG002 - its name
            return _is_same(level.t1, level.t2)

        def normalize_value_for_hashing(self, parent: Any, obj: Any) -> Any:  # noqa: ARG002
            return obj

    return Spellings()


def _is_same(old: Any, new: Any) -> bool:
    if old == new or (old in ([], "", None) and new in ({}, "", None)):
        return True
    with suppress(ValueError, ArithmeticError, TypeError):
        if isinstance(old, str) and isinstance(new, str):
            return datetime.fromisoformat(old).replace(tzinfo=UTC) == datetime.fromisoformat(new)
        if isinstance(old, str):
            return Decimal(old) == Decimal(repr(new))
    return False
