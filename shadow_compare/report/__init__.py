"""What was compared, and what differed: values to show, and the reading side of the store.

Coverage comes first: "no differences" must never mean "no comparisons".
"""

from __future__ import annotations

from shadow_compare.proposals import Proposal
from shadow_compare.report.coverage import Coverage
from shadow_compare.report.cursor import Cursor
from shadow_compare.report.filters import EVERY_GROUP, KINDS, SEARCH_MAX, WORDS_MAX, Filters
from shadow_compare.report.reader import Report
from shadow_compare.report.summary import (
    Occurrences,
    SignatureDetail,
    SignatureSummary,
    State,
)

__all__ = [
    "EVERY_GROUP",
    "KINDS",
    "SEARCH_MAX",
    "WORDS_MAX",
    "Coverage",
    "Cursor",
    "Filters",
    "Occurrences",
    "Proposal",
    "Report",
    "SignatureDetail",
    "SignatureSummary",
    "State",
]
