from __future__ import annotations

from collections.abc import Iterator

import pytest
from ruamel.yaml import YAML

from deploy.grafana.__main__ import FILE, text
from deploy.grafana.board import ROWS, dashboard
from deploy.grafana.panel import WIDTH
from tests.support_docs import ROOT
from tests.support_metrics import check, grouped, selectors


def _recorded() -> dict[str, set[str]]:
    groups = YAML(typ="safe").load(ROOT / "deploy/prometheus/rules.yml")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    return {rule["record"]: grouped(rule["expr"]) for rule in rules if "record" in rule}


def _queries() -> Iterator[tuple[str, str, str]]:
    """Give title, legend and expression of everything that is asked for."""
    for row in ROWS:
        for panel in row.panels:
            for legend, expression in panel.queries.items():
                yield f"{row.title}: {panel.title}", legend, expression


@pytest.mark.parametrize(("title", "legend", "expression"), [*_queries()])
def test_panels_ask_only_for_what_the_product_tells(
    title: str, legend: str, expression: str
) -> None:
    """Every metric, label and value of a panel, and of its legend, is really there."""
    assert list(selectors(expression)), title
    assert check(expression, _recorded()) == []
    used = {part.split("}}")[0] for part in legend.split("{{")[1:]}
    assert used <= grouped(expression)


def test_the_file_is_what_the_table_makes() -> None:
    """`python -m deploy.grafana` has been run since the table was changed."""
    assert FILE.read_text(encoding="utf-8") == text()


def test_panels_have_places_of_their_own() -> None:
    """No panel lies on another or beyond the grid, and no number comes twice."""
    panels = dashboard()["panels"]
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= WIDTH
        assert not cells & taken
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_grafana_finds_the_source_and_the_dashboard() -> None:
    """What is provisioned has the names that the dashboard and the composition use."""
    folder = ROOT / "deploy" / "grafana" / "provisioning"
    yaml = YAML(typ="safe")
    [source] = yaml.load(folder / "datasources" / "prometheus.yml")["datasources"]
    [provider] = yaml.load(folder / "dashboards" / "cutover.yml")["providers"]
    compose = yaml.load(ROOT / "compose.yaml")["services"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert "prometheus" in compose
    mounted = [volume.split(":") for volume in compose["grafana"]["volumes"]]
    assert provider["options"]["path"] in [target for _, target, *_ in mounted]
    assert all((ROOT / path).exists() for path, *_ in mounted if path.startswith("./"))
