"""From a mismatch to what is kept of it (pure)."""

from __future__ import annotations

from functools import partial

from shadow_compare.capture import Capture
from shadow_compare.normalize import Answer
from shadow_compare.redact import Redactor
from shadow_compare.sample import kept_difference, take_sample
from shadow_compare.signature import signature_of
from shadow_compare.store.record import Finding
from shadow_compare.verdict import Comparison


def finding_of(
    capture: Capture, candidate: Answer, latency: float, comparison: Comparison, redactor: Redactor
) -> Finding:
    """Build the finding of a mismatch; `latency` is the candidate's, in seconds."""
    return Finding(
        signature=signature_of(capture.route, comparison, redactor.text),
        critical=comparison.critical,
        example=kept_difference(comparison.differences[0], redactor),
        take=partial(take_sample, capture, candidate, latency, comparison, redactor),
    )
