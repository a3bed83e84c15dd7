from __future__ import annotations

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support_docs import ROOT, code, read, rows
from tests.support_metrics import check, grouped, selectors

FOLDER = ROOT / "deploy" / "prometheus"


def _load(name: str) -> Any:
    return YAML(typ="safe").load(FOLDER / name)


RULES: list[dict[str, Any]] = [
    rule for group in _load("rules.yml")["groups"] for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"]: grouped(rule["expr"]) for rule in RULES if "record" in rule}
SEVERITIES = {"info", "warning", "error", "critical"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_rules_ask_only_for_what_the_product_tells(rule: dict[str, Any]) -> None:
    """Every metric, label and value of an expression is one of the real /metrics."""
    assert list(selectors(rule["expr"]))
    assert check(rule["expr"], RECORDED) == []


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_alerts_say_what_it_is_and_where_to_go(rule: dict[str, Any]) -> None:
    """Each has a severity, a summary, a description and a page; no label that it does not have."""
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in SEVERITIES
    said = rule["annotations"]
    assert said.keys() == {"summary", "description", "runbook"}
    used = set(re.findall(r"\$labels\.(\w+)", said["summary"] + said["description"]))
    assert used <= grouped(rule["expr"]) | {"side"}
    assert (ROOT / said["runbook"].partition("#")[0]).exists()


def test_the_documentation_lists_every_alert() -> None:
    """The table of metrics.md has the alerts in their order, with their page and severity."""
    table = [row for row in rows(read("metrics.md")) if "alert" in row]
    assert [code(row["alert"]) for row in table] == [rule["alert"] for rule in ALERTS]
    for row, rule in zip(table, ALERTS, strict=True):
        target = re.findall(r"\]\(([^)]+)\)", row["go to"])
        assert [f"docs/{link}" for link in target] == [rule["annotations"]["runbook"]]
        assert row["severity"] == rule["labels"]["severity"]


def test_every_alert_is_played() -> None:
    """The tests for promtool make each alert fire at least once."""
    played = (FOLDER / "rules_test.yml").read_text()
    fired = set(re.findall(r'alertname="(\w+)",alertstate="firing"', played))
    fired |= set(re.findall(r"alertname: (\w+)\n +eval_time: \w+\n +exp_alerts:\n", played))
    assert fired == {rule["alert"] for rule in ALERTS}


def test_labels_of_cutover_are_kept() -> None:
    """Prometheus leaves `instance` alone, which is a label of ours, and is called `cutover`."""
    [job] = _load("prometheus.yml")["scrape_configs"]
    assert (job["job_name"], job["honor_labels"]) == ("cutover", True)
