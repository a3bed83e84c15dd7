from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import pytest

from proxy.admin.endpoints import ENDPOINTS
from proxy.outcome import OutcomeKind
from proxy.rollout.breach import Verdict
from proxy.rollout.phase import Phase
from proxy.routing.compare_rules import EQUIVALENCES
from proxy.routing.decision import Reason
from proxy.routing.side import Side
from proxy.serving.stage import Stage
from proxy.settings import SERVE_SETTINGS
from shadow_compare.difference import (
    Extra,
    LengthChanged,
    Missing,
    Reordered,
    TypeChanged,
    ValueChanged,
)
from shadow_compare.verdict import Verdict as ComparisonVerdict
from tests.support_docs import code, codes, read, rows

ROWS = list(rows(read("glossary.md")))
WRITTEN = {spelling for row in ROWS for spelling in codes(row["written"])}

PLAIN_WORDS = frozenset(
    {
        "by", "salt", "path", "owner", "allowed_headers",  # English, or nothing but what it says
        "rules", "listen", "admin_listen", "role",  # where a process listens, and what it is
        "events", "openapi.json",  # of HTTP, not of the product
        "requests", "seconds", "total", "request", "cutover", "process", "info",  # of metrics
    }
)  # fmt: skip


def _values(*enums: type[Enum]) -> set[str]:
    return {str(m.name if enum is Stage else m.value) for enum in enums for m in enum}


def _unexplained(words: Iterable[str]) -> set[str]:
    return set(words) - WRITTEN - PLAIN_WORDS


def test_the_terms_stand_in_order_and_once() -> None:
    """The table is sorted, so that a word is found by looking."""
    terms = [row["term"] for row in ROWS]
    assert terms == sorted(set(terms))


def test_every_term_has_a_meaning_of_one_line() -> None:
    """No term is left without words, and none is explained at length."""
    for row in ROWS:
        assert 10 < len(row["meaning"]) < 140, row["term"]


@pytest.mark.parametrize(
    "term",
    [
        "client", "upstream", "instance", "exchange", "attempt", "outcome", "stage", "phase",
        "plan", "step", "weight", "bucket", "identity", "cohort", "pin", "decision", "primary",
        "candidate", "baseline", "mirror", "capture", "comparison", "difference", "noise",
        "ignore rule", "equivalence", "signature", "detector", "gate", "verdict", "advance",
        "hold", "resume", "roll back", "kill switch", "cut over", "drain", "reject", "eject",
        "readmit", "probe", "breaker", "fallback", "retry", "retry budget", "deadline", "timeout",
        "source", "target", "batch", "checkpoint", "convert", "verify", "catch up", "compat",
    ],
)  # fmt: skip
def test_the_words_of_the_design_are_explained(term: str) -> None:
    """Every word that the design reserves for one concept has its line."""
    assert term in {row["term"] for row in ROWS}


def test_values_that_are_stored_and_shown_are_explained() -> None:
    """Every value of an enum that reaches an operator stands in the glossary."""
    enums = (Side, Reason, OutcomeKind, Stage, Phase, Verdict, ComparisonVerdict)
    kinds = {k.kind for k in (Missing, Extra, TypeChanged, ValueChanged, Reordered, LengthChanged)}
    assert _unexplained(_values(*enums) | kinds | set(EQUIVALENCES)) == set()


def test_keys_of_the_rules_are_explained() -> None:
    """Every key of the YAML stands in the glossary."""
    keys = [code(row["key"]) for row in rows(read("routing-rules.md")) if "default" in row]
    last = {key.removesuffix("[]").rpartition(".")[2] for key in keys if key}
    assert _unexplained(last) == set()


def test_settings_are_explained() -> None:
    """Every option of `cutover serve` stands in the glossary."""
    assert _unexplained(setting.name for setting in SERVE_SETTINGS) == set()


def test_words_of_the_api_are_explained() -> None:
    """Every fixed segment of an address of the API stands in the glossary."""
    segments = {part for one in ENDPOINTS for part in one.path.split("/") if part[:1].isalpha()}
    assert _unexplained(segments) == set()
