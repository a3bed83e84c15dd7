"""`python -m deploy.grafana`: write `dashboards/cutover.json`, which is committed as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from deploy.grafana.board import dashboard

FILE: Final = Path(__file__).parent / "dashboards" / "cutover.json"


def text() -> str:
    """Give the file as it is to be."""
    return json.dumps(dashboard(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
