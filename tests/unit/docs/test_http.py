from __future__ import annotations

import importlib
import re

import pytest

from proxy.wire import forwarding
from proxy.wire.fields import HOP_BY_HOP, PROVENANCE
from proxy.wire.target import IDEMPOTENT
from tests.hostile_requests import REFUSED_BODIES, REFUSED_HEADS
from tests.support_docs import code, codes, read, rows

TEXT = read("http.md")
ROWS = list(rows(TEXT))
REFUSED = {int(row["status"]) for row in ROWS if "what is refused" in row}
ANSWERED = {int(row["status"]) for row in ROWS if "what it says" in row}
LIMITS = [row for row in ROWS if "limit" in row]


def test_every_status_of_ours_is_documented_and_no_other() -> None:
    """The two tables hold exactly the statuses that the proxy can answer by itself."""
    assert set(forwarding._REASONS) == REFUSED | ANSWERED
    assert not REFUSED & ANSWERED


def test_every_refusal_that_is_tested_is_documented() -> None:
    """Each status of the table of hostile requests stands in the table of refusals."""
    tested = {status for _, _, status in (*REFUSED_HEADS, *REFUSED_BODIES)}
    assert tested | {408} == REFUSED  # a slow request is no table of bytes


@pytest.mark.parametrize("row", LIMITS, ids=[row["limit"] for row in LIMITS])
def test_limits_are_the_real_ones(row: dict[str, str]) -> None:
    """Each limit has the value of the constant that it names."""
    module, _, name = (code(row["in the code"]) or "").rpartition(".")
    number = re.match(r"[\d,]+", row["value"])
    assert number is not None
    assert getattr(importlib.import_module(module), name) == int(number[0].replace(",", ""))


def test_dropped_fields_are_the_real_ones() -> None:
    """Every field of one hop, and every one that says where a request came from, is named."""
    named = {name.encode() for name in codes(TEXT)}
    assert not (HOP_BY_HOP | PROVENANCE) - named


def test_idempotent_methods_are_the_real_ones() -> None:
    """The methods that may be sent again are named, and no other is."""
    listed = re.search(r"idempotent \((.*?)\)", TEXT)
    assert listed is not None
    assert set(codes(listed[1])) == IDEMPOTENT
