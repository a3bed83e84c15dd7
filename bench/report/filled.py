"""A store as weeks of traffic leave it, written in bulk."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from sqlalchemy import Table, insert

from shadow_compare.searched import head_of, with_values
from shadow_compare.store.database import Database
from shadow_compare.store.grain import Grain, buckets
from shadow_compare.store.pruning import MINUTES_KEPT
from shadow_compare.store.tables import (
    evidence,
    hits,
    occurrences,
    samples,
    signatures,
    tallies,
    totals,
)

NOW: Final = 1_790_000_000
"""Unix time of the last comparison, in seconds."""
ROUTES: Final = tuple(f"route-{number:02}" for number in range(20))

_DAYS: Final = 30
_AT_ONCE: Final = 2_000
_ENDINGS: Final = (
    ("match", "", 890), ("ignored", "noise", 50), ("ignored", "race", 10), ("mismatch", "", 20),
    ("not_compared", "timeout", 10), ("not_compared", "too_big", 10),
    ("not_compared", "dropped", 10),
)  # fmt: skip
_STATES: Final = (*["open"] * 8, "expected", "fixed")


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to be in the store."""

    comparisons: int
    signatures: int
    samples: int


async def fill(database: Database, size: Size, chance: random.Random) -> None:
    """Write everything."""
    verdicts, rules, compared = _counted(size, chance)
    await _write(database, totals, ({"route": r, "compared": n} for r, n in compared.items()))
    key = [column.name for column in tallies.primary_key]
    await _write(
        database,
        tallies,
        ({**dict(zip(key, k, strict=True)), "count": n} for k, n in verdicts.items()),
    )
    key = [column.name for column in hits.primary_key]
    await _write(
        database,
        hits,
        ({**dict(zip(key, k, strict=True)), "count": n} for k, n in rules.items()),
    )
    await _write(database, signatures, _signatures(size, chance))
    await _write(database, samples, _samples(size, chance))
    await _write(database, occurrences, _occurrences(size, chance))
    await _write(database, evidence, _evidence(chance))


def _counted(
    size: Size, chance: random.Random
) -> tuple[Counter[tuple[Any, ...]], Counter[tuple[Any, ...]], Counter[str]]:
    verdicts: Counter[tuple[Any, ...]] = Counter()
    rules: Counter[tuple[Any, ...]] = Counter()
    compared: Counter[str] = Counter()
    last = NOW // 60
    endings = [ending for *ending, weight in _ENDINGS for _ in range(weight)]
    for _ in range(size.comparisons):
        minute = last - int(chance.random() * _DAYS * 1440)
        route = ROUTES[int(chance.random() * len(ROUTES))]
        verdict, reason = endings[int(chance.random() * len(endings))]
        method = "HEAD" if chance.random() < 0.05 else "GET"
        status = "4xx" if chance.random() < 0.1 else "2xx"
        compared[route] += verdict != "not_compared"
        for grain, start in buckets(minute):
            if grain is Grain.MINUTE and minute < last - MINUTES_KEPT:
                continue
            verdicts[int(grain), start, route, method, status, verdict, reason] += 1
            if verdict != "not_compared":
                rules[int(grain), start, route, "number_as_string"] += 3
            if verdict == "ignored":
                rules[int(grain), start, route, "ignore:$.meta.generated_at"] += 1
    return verdicts, rules, compared


def _signatures(size: Size, chance: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(size.signatures):
        state = chance.choice(_STATES)
        last = NOW - chance.random() * _DAYS * 86_400
        marked = {} if state == "open" else {"author": "ada", "reason": "a clock", "at": last}
        route = chance.choice(ROUTES)
        kinds = ["value_changed", "missing"][: chance.randint(1, 2)]
        paths = [f"$.data[*].field_{number}_{i}" for i in range(chance.randint(1, 6))]
        values = [f'"{chance.randrange(10_000) / 100}"' for _ in range(chance.randint(2, 60))]
        yield {
            "id": f"{number:016x}",
            "route": route,
            "kinds": kinds,
            "paths": paths,
            "critical": chance.random() < 0.05,
            "example_path": f"$.data[id=40].field_{number}_0",
            "example_old": '"29.00"',
            "example_new": "29.5",
            "count": int(chance.paretovariate(1.0)),
            "first_seen": last - chance.random() * 86_400,
            "last_seen": last,
            "first_version": chance.randint(3, 9),
            "last_version": 9,
            "compared_before": chance.randint(0, 40_000),
            "state": state,
            "state_author": marked.get("author"),
            "state_reason": marked.get("reason"),
            "state_at": marked.get("at"),
            "state_version": 9,
            "bytes": 700,
            "searched": with_values(head_of(route, kinds, paths), values),
        }


def _occurrences(size: Size, chance: random.Random) -> Iterator[dict[str, Any]]:
    """Give each group some hours of the last two weeks, the first ones all of them."""
    last = NOW // 60 - NOW // 60 % Grain.HOUR
    for number in range(size.signatures):
        hours = range(336) if number < 100 else chance.sample(range(336), 20)
        for hour in hours:
            yield {
                "signature": f"{number:016x}",
                "start": last - hour * Grain.HOUR,
                "count": chance.randint(1, 500),
            }


def _samples(size: Size, chance: random.Random) -> Iterator[dict[str, Any]]:
    rows = ",".join(f'{{"id":{i},"name":"Team","price":"29.00"}}' for i in range(40))
    answer = {
        "status": 200,
        "headers": [["content-type", "application/json"], ["date", "now"]],
        "body": f'{{"data":[{rows}]}}',
        "truncated": False,
        "latency": 0.02,
    }
    for number in range(size.samples):
        yield {
            "signature": f"{number % size.signatures:016x}",
            "at": NOW - chance.random() * _DAYS * 86_400,
            "request_id": f"req-{number}",
            "version": 9,
            "primary_side": "legacy",
            "curl": f"curl --path-as-is -X GET http://shop.example/api/plans?page={number}",
            "primary_answer": answer,
            "candidate_answer": answer,
            "differences": [
                {"path": "$.data[3].price", "kind": "value_changed", "legacy": "1", "modern": "2"}
            ],
            "bytes": 4_000,
        }


def _evidence(chance: random.Random) -> Iterator[dict[str, Any]]:
    """What was learned about 200 places of each route, the most that are remembered."""
    for route in ROUTES:
        key = {"route": route, "rules": "0123456789abcdef", "seen": float(NOW)}
        for kind, count in (("baselines", 5_000), ("compared", 50_000)):
            yield {**key, "what": "", "path": "", "kind": kind, "count": count}
        for number in range(200):
            place = {**key, "what": "value", "path": f"$.data[*].field_{number}"}
            seen, itself = chance.randint(3, 5_000), chance.randint(3, 5_000)
            counts = {"differed": 9 * seen, "looked_at": seen}
            counts["number_as_string"] = seen if chance.random() < 0.5 else seen // 2
            counts |= {"disagreed": itself, "near": itself} if number % 5 == 0 else {}
            yield from ({**place, "kind": kind, "count": n} for kind, n in counts.items())


async def _write(database: Database, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    waiting = iter(rows)
    while batch := list(islice(waiting, _AT_ONCE)):
        async with database.begin() as connection:
            await connection.execute(insert(table), batch)
