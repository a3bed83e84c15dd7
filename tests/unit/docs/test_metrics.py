from __future__ import annotations

from tests.support_docs import code, codes, read, rows
from tests.support_metrics import families

TEXT = read("metrics.md")
DOCUMENTED = {code(row["metric"]): row for row in rows(TEXT) if "metric" in row}

PROMISED = {
    "cutover_requests_total": {"route", "side", "outcome"},
    "cutover_request_duration_seconds": {"route", "side"},
    "cutover_weight_configured": {"route"},
    "cutover_weight_observed": {"route"},
    "cutover_comparisons_total": {"route", "verdict"},
    "cutover_captures_dropped_total": {"route", "reason"},
    "cutover_rollbacks_total": {"route", "reason"},
    "cutover_rules_version": set[str](),
}
"""Names and labels that others build on: they change with a new major version only."""


def test_every_metric_is_documented_and_no_other() -> None:
    """The table has the families in the order in which they are written."""
    assert list(DOCUMENTED) == list(families())


def test_types_and_labels_are_the_real_ones() -> None:
    """Each row says of what type the metric is and which labels it has."""
    for name, family in families().items():
        row = DOCUMENTED[name]
        assert row["type"] == family.type, name
        assert set(codes(row["labels"])) == set(family.samples[0].labels) - {"le"}, name


def test_promised_names_and_labels_are_there() -> None:
    """Dashboards of others find what they were told they would."""
    found = families()
    for name, labels in PROMISED.items():
        assert set(found[name].samples[0].labels) - {"le"} == labels, name
