"""What axe finds wrong with a page, by the rules of WCAG 2.2 AA."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from playwright.sync_api import Page

FILE = Path(__file__).parents[1] / "node_modules/axe-core/axe.min.js"
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


@cache
def _source() -> str:
    assert FILE.is_file(), "axe-core is missing: deploy/setup.sh (or npm ci) installs it"
    return FILE.read_text(encoding="utf-8")


def axe_faults(page: Page) -> list[str]:
    """Name each rule that a page breaks, and where; the page's content policy does not stop axe."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())
    found = page.evaluate(f"axe.run(document, {json.dumps(RULES)}).then((r) => r.violations)")
    return [
        f"{rule['id']} ({rule['help']}): {node['html'][:160]}"
        for rule in found
        for node in rule["nodes"]
    ]
