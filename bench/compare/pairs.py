"""The answers that are compared: a list of subscriptions as the billing applications give it."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from shadow_compare.rules import CompareRules

ROWS: Final = 11
"""So many make 1.9 KB."""

RULES: Final = CompareRules.build(
    critical=["$.data[*].price", "$.data[*].currency"],
    arrays=[("$.data", "id")],
    ignore=[{"path": "$.meta.generated_at", "reason": "clock", "owner": "billing"}],
    equivalences=[
        "number_as_string", "trailing_zero", "int_bool", "empty_map_list", "null_empty",
        "php_datetime", "zero_date", "float_precision",
    ],
    tolerances=[{"path": "$.meta.took", "within": "5"}],
)  # fmt: skip
"""Every kind of rule that a route can declare for JSON."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two JSON texts, and what is to come of comparing them."""

    name: str
    old: bytes
    new: bytes
    verdict: str
    about: str


def pairs() -> list[Pair]:
    """Give the pairs of 1.9 KB."""
    answer = subscriptions(ROWS)
    compact = orjson.dumps(answer)
    php = as_php(answer)
    modern = _modern(answer)
    return [
        Pair("differ", compact, orjson.dumps(_other(answer)), "mismatch",
             "one value of one row is another"),
        Pair("equal", compact, spaced(_turned(answer)), "match",
             "the same value: members in another order, white space"),
        Pair("identical", compact, compact, "match", "the same bytes"),
        Pair("spelt_differ", php, spaced(_other(modern)), "mismatch",
             "as PHP and as Python writes it, and one value is another"),
        Pair("spelt_equal", php, spaced(modern), "ignored",
             "as PHP and as Python writes it, alike by the rules"),
    ]  # fmt: skip


def subscriptions(rows: int, chance: random.Random | None = None) -> dict[str, Any]:
    """Give an answer of so many rows, 160 bytes each, as the legacy application means it."""
    chance = chance or random.Random(7)
    data = [
        {
            "id": 40 + i,
            "user_id": 17,
            "plan_id": chance.randint(1, 4),
            "plan_name": "Team/Größe",
            "status": "active",
            "is_active": 1,
            "price": f"{chance.randint(5, 99)}.{chance.randint(11, 99)}",
            "currency": "EUR",
            "created_at": f"2024-03-{i % 28 + 1:02} 10:00:00",
        }
        for i in range(rows)
    ]
    meta = {"page": 1, "total": 57, "filters": [], "generated_at": "2026-03-01 00:00:00"}
    return {"status": "ok", "data": data, "meta": meta}


def as_php(value: Mapping[str, Any]) -> bytes:
    """Write as `json_encode` does."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode()


def spaced(value: Mapping[str, Any]) -> bytes:
    """Write as `json.dumps` does, with a blank behind every comma and colon."""
    return json.dumps(value, ensure_ascii=False).encode()


def _turned(value: Any) -> Any:
    """Give the same with the members of every object in the opposite order."""
    if isinstance(value, dict):
        return {name: _turned(value[name]) for name in reversed(value)}
    return list(map(_turned, value)) if isinstance(value, list) else value


def _other(answer: dict[str, Any]) -> dict[str, Any]:
    """Give the same with another status in one row."""
    data = list(answer["data"])
    middle = len(data) // 2
    data[middle] = {**data[middle], "status": "cancelled"}
    return {**answer, "data": data}


def _modern(answer: dict[str, Any]) -> dict[str, Any]:
    """Give what the successor means by the same: numbers, booleans, ISO 8601."""
    data = [
        {
            **row,
            "price": float(row["price"]),
            "is_active": True,
            "created_at": row["created_at"].replace(" ", "T") + "+00:00",
        }
        for row in answer["data"]
    ]
    meta = {**answer["meta"], "filters": {}, "generated_at": "2026-03-01T00:00:01+00:00"}
    return {**answer, "data": data, "meta": meta}


def differing(rows: int) -> tuple[bytes, bytes]:
    """Give two texts of so many rows, the second spelt otherwise and with one value changed."""
    answer = subscriptions(rows)
    return orjson.dumps(answer), spaced(_turned(_other(answer)))


def reordered(elements: int) -> tuple[bytes, bytes]:
    """Give two lists of so many rows, the second shuffled, without a key to find them by."""
    rows = subscriptions(elements)["data"]
    shuffled = list(rows)
    random.Random(3).shuffle(shuffled)
    return orjson.dumps(rows), orjson.dumps(shuffled)
