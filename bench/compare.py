"""Pairs of answers compared per second, ours against DeepDiff, in one process, turn by turn.

Both get the bytes of two answers and have to parse them. `differ`: one value is another. `equal`:
the same content, spelt by PHP on one side and by Python on the other (escapes, order of members),
so that nobody gets by with comparing bytes. The figures without a peer are cases that only a
comparison of two applications has.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import orjson

from shadow_compare.compare import compare_json
from shadow_compare.rules import CompareRules
from shadow_compare.verdict import Verdict

ROUNDS = 9
SECONDS = 0.2
TODAY = date(2026, 3, 1)
EXACT = CompareRules()
DECLARED = CompareRules.build(
    arrays=[("$.data", "id")],
    equivalences=["number_as_string", "int_bool", "php_datetime", "empty_map_list"],
    ignore=[{"path": "$.meta.generated_at"}],
)

Pair = tuple[bytes, bytes]


def main(argv: Sequence[str]) -> dict[str, Any]:
    """Measure, print a table, and give ratios and figures. There are no options."""
    argparse.ArgumentParser(prog="python -m bench compare", description=__doc__).parse_args(argv)
    pairs = _pairs()
    ours = {name: _ours(pair, rules) for name, (pair, rules) in pairs.items()}
    deepdiff = _deepdiff()
    peers = {} if deepdiff is None else {
        name: _peer(deepdiff, pairs[name][0]) for name in ("differ", "equal")
    }  # fmt: skip
    rates = _alternate(ours, peers)
    figures = {
        f"pairs_{name}_per_s": round(rate) for (name, _), rate in rates.items() if _ == "ours"
    }
    ratios = {
        f"pairs_{name}_vs_deepdiff": round(rates[name, "ours"] / rates[name, "deepdiff"], 1)
        for name in peers
    }
    _print(rates, ratios, pairs)
    return {"ratios": ratios, "figures": figures}


def _pairs() -> dict[str, tuple[Pair, CompareRules]]:
    legacy = _legacy(random.Random(7))
    php = _php(legacy)
    other = json.loads(json.dumps(legacy))
    other["data"][5]["status"] = "cancelled"
    shuffled = {name: legacy[name] for name in reversed(legacy)}
    modern = _modern(legacy)
    wrong = json.loads(json.dumps(modern))
    wrong["data"][5]["price"] += 0.01
    return {
        "differ": ((php, orjson.dumps(other)), EXACT),
        "equal": ((php, orjson.dumps(shuffled)), EXACT),
        "identical": ((php, php), EXACT),
        "declared_equal": ((php, orjson.dumps(modern)), DECLARED),
        "declared_differ": ((php, orjson.dumps(wrong)), DECLARED),
    }


def _legacy(chance: random.Random) -> dict[str, Any]:
    rows = [
        {
            "id": 40 + i,
            "user_id": 17,
            "plan_id": chance.randint(1, 4),
            "plan_name": "Team/Größe",
            "status": "active",
            "is_active": 1,
            "price": f"{chance.randint(5, 99)}.{chance.randint(10, 99)}",
            "currency": "EUR",
            "created_at": f"2024-03-{i + 10} 10:00:00",
        }
        for i in range(10)
    ]
    meta = {"page": 1, "total": 57, "filters": [], "generated_at": "2026-03-01 00:00:00"}
    return {"status": "ok", "data": rows, "meta": meta}


def _modern(legacy: dict[str, Any]) -> dict[str, Any]:
    found = json.loads(json.dumps(legacy))
    for row in found["data"]:
        row["price"] = float(row["price"])
        row["is_active"] = True
        row["created_at"] = row["created_at"].replace(" ", "T") + "+00:00"
    found["meta"].update(filters={}, generated_at="2026-03-01T00:00:01+00:00")
    return dict(found)


def _php(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode()


def _ours(pair: Pair, rules: CompareRules) -> Callable[[], object]:
    return lambda: compare_json(*pair, rules, TODAY)


def _deepdiff() -> Callable[..., object] | None:
    try:
        return importlib.import_module("deepdiff").DeepDiff  # type: ignore[no-any-return] # not always installed
    except ModuleNotFoundError:
        print("DeepDiff is not installed (uv sync --group bench): our figures only, no ratios.")
        return None


def _peer(deepdiff: Callable[..., object], pair: Pair) -> Callable[[], object]:
    return lambda: deepdiff(orjson.loads(pair[0]), orjson.loads(pair[1]))


def _alternate(
    ours: dict[str, Callable[[], object]], peers: dict[str, Callable[[], object]]
) -> dict[tuple[str, str], float]:
    """Give the median rate of each; taking turns spreads the machine's moods over all."""
    runs = {(name, "ours"): each for name, each in ours.items()}
    runs |= {(name, "deepdiff"): each for name, each in peers.items()}
    rates: dict[tuple[str, str], list[float]] = {key: [] for key in runs}
    for _ in range(ROUNDS):
        for key, each in runs.items():
            rates[key].append(_rate(each))
    return {key: statistics.median(found) for key, found in rates.items()}


def _rate(work: Callable[[], object]) -> float:
    count, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < SECONDS:
        work()
        count += 1
    return count / elapsed


def _print(
    rates: dict[tuple[str, str], float],
    ratios: dict[str, float],
    pairs: dict[str, tuple[Pair, CompareRules]],
) -> None:
    print(f"{'pair':<18}{'bytes':>12}{'verdict':>12}{'ours/s':>10}{'DeepDiff/s':>12}{'ratio':>8}")
    for name, (pair, rules) in pairs.items():
        verdict: Verdict = compare_json(*pair, rules, TODAY).verdict
        peer = rates.get((name, "deepdiff"))
        ratio = ratios.get(f"pairs_{name}_vs_deepdiff", "")
        print(
            f"{name:<18}{f'{len(pair[0])}+{len(pair[1])}':>12}{verdict:>12}"
            f"{rates[name, 'ours']:>10.0f}{f'{peer:.0f}' if peer else '':>12}{ratio:>8}"
        )


if __name__ == "__main__":
    print(json.dumps(main([])))
