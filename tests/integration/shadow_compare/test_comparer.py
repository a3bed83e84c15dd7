from __future__ import annotations

import gzip
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shadow_compare.capture import Headers
from shadow_compare.compare import compare
from shadow_compare.comparer import LIGHT_BYTES, Comparer
from shadow_compare.correspondence import Correspondence
from shadow_compare.corresponding import Known
from shadow_compare.finding import finding_of
from shadow_compare.normalize import Answer
from shadow_compare.redact import Redactor
from shadow_compare.rules import CompareRules
from shadow_compare.verdict import Verdict
from tests.support_shadow import JSON, a_capture, quick_settings

ROWS = 3_000
RULES = CompareRules.build(
    critical=["$.data[*].price"],
    equivalences=["number_as_string", "php_datetime"],
    ignore=[{"path": "$.at", "reason": "the clock", "until": "2999-01-01"}],
    correspond=[{"path": "$.data[*].ref", "name": "refs"}],
)


@pytest.fixture
async def comparer() -> AsyncIterator[Comparer]:
    """Give one whose process is gone afterwards."""
    found = Comparer(quick_settings(), time.monotonic, time.time)
    yield found
    await found.close()


def answer(body: bytes, headers: Headers = JSON) -> Answer:
    """Give an answer with a body."""
    return Answer(200, headers, body)


def rows(price: str = "9.90", **more: Any) -> bytes:
    """Give a large list as PHP spells it."""
    listed = [{"id": i, "price": price, "ref": f"L{i}"} for i in range(ROWS)]
    return json.dumps({"data": listed, **more}).encode()


def respelt(**more: Any) -> bytes:
    """Give the same list as Python spells it, with ids of its own."""
    listed = [{"ref": f"M{i}", "price": 9.9, "id": i} for i in range(ROWS)]
    return json.dumps({"data": listed, **more}).encode()


def today() -> Any:
    """Give the day that rules are applied on."""
    return datetime.now(UTC).date()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (answer(rows()), answer(rows(price="9.91"))),
        (answer(rows(at=1)), answer(rows(at=2))),
        (answer(rows()), answer(rows()[:-9])),
        (answer(gzip.compress(rows()), (*JSON, ("content-encoding", "gzip"))), answer(rows("1"))),
        (
            answer(b"<p>x</p>" * LIGHT_BYTES, (("content-type", "text/html"),)),
            answer(b"<p>y</p>" * LIGHT_BYTES, (("content-type", "text/html"),)),
        ),
    ],
)
async def test_what_is_compared_aside_compares_as_ever(
    comparer: Comparer, old: Answer, new: Answer
) -> None:
    """Large answers by a process of their own, with the same verdict and the same differences."""
    assert await comparer.compare(old, new, RULES) == compare(old, new, RULES, today())
    assert comparer.aside.pid is not None


async def test_what_is_soon_done_is_done_at_once(comparer: Comparer) -> None:
    """Small answers, equal ones of any size, and those of which something is missing."""
    small = await comparer.compare(answer(b'{"a":1}'), answer(b'{"a":2}'), RULES)
    assert small.verdict is Verdict.MISMATCH
    assert (await comparer.compare(answer(rows()), answer(rows()), RULES)).verdict is Verdict.MATCH
    cut = Answer(200, JSON, rows(), truncated=True)
    assert (await comparer.compare(answer(rows()), cut, RULES)).reason == "too_big"
    assert comparer.aside.pid is None


async def test_names_are_known_and_learnt_aside_too(comparer: Comparer) -> None:
    """What met there is known here, and who met another partner before differs."""
    pairs = Correspondence()
    known = Known("face", RULES, pairs)
    found = await comparer.compare(answer(rows()), answer(respelt()), RULES, known)
    assert found.verdict is Verdict.MATCH
    assert dict(found.fired) == {"number_as_string": ROWS, "correspond:$.data[*].ref": ROWS}
    known.learn()
    assert len(pairs) == ROWS
    other = respelt().replace(b'"M7"', b'"M8888"')
    found = await comparer.compare(
        answer(rows()), answer(other), RULES, Known("face", RULES, pairs)
    )
    assert found.places == (("value_changed", "$.data[*].ref"),)


async def test_of_a_large_mismatch_the_same_is_kept(comparer: Comparer) -> None:
    """With its sample, redacted."""
    redactor = Redactor(b"key")
    old, new = answer(rows(password="hunter2")), answer(rows(password="hunter3"))
    capture = a_capture(body=old.body)
    comparison = await comparer.compare(old, new, CompareRules())
    found = await comparer.finding(capture, new, 0.5, comparison, redactor)
    wanted = finding_of(capture, new, 0.5, comparison, redactor)
    assert (found.signature, found.example) == (wanted.signature, wanted.example)
    assert found.take() == wanted.take()
    assert "hunter" not in str(found.take())


async def test_a_comparison_that_takes_too_long_is_no_verdict() -> None:
    """What it was at is not compared, and the reason told."""
    slow = Comparer(quick_settings(compare_seconds=0.0), time.monotonic, time.time)
    found = await slow.compare(answer(rows()), answer(rows("1")), RULES)
    assert (found.verdict, found.reason) == (Verdict.NOT_COMPARED, "too_slow")
    await slow.close()
