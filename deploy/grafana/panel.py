"""Panels as values, and as the JSON that Grafana reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]

SOURCE: Final[Json] = {"type": "prometheus", "uid": "${source}"}
WIDTH: Final = 24
"""Columns of Grafana's grid."""

COLOURS: Final = {"legacy": "orange", "modern": "blue"}
"""The colours of both sides, as the console has them."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: `queries` gives the legend of each expression.

    `unit` is one of Grafana's, `kind` a panel type, `width` is columns of 24. Of a `stat`, `bad` is
    the value from which on it is red.
    """

    title: str
    meaning: str
    queries: Mapping[str, str]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    stacked: bool = False
    most: float | None = None
    bad: float | None = None

    def json(self, number: int, x: int, y: int, height: int) -> Json:
        """Give the panel with its place in the grid."""
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.meaning,
            "datasource": SOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": height},
            "targets": [
                {"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": expression,
                 "legendFormat": legend, "instant": self.kind == "table",
                 "format": "table" if self.kind == "table" else "time_series"}
                for place, (legend, expression) in enumerate(self.queries.items())
            ],
            "fieldConfig": {"defaults": self._defaults(), "overrides": _overrides()},
            "options": self._options(),
        }  # fmt: skip

    def _defaults(self) -> Json:
        steps: list[Json] = [{"color": "green", "value": None}]
        if self.bad is not None:
            steps.append({"color": "red", "value": self.bad})
        found: Json = {
            "unit": self.unit,
            "min": 0,
            "thresholds": {"mode": "absolute", "steps": steps},
        }
        if self.most is not None:
            found["max"] = self.most
        if self.kind == "timeseries":
            stacking = {"mode": "normal" if self.stacked else "none", "group": "A"}
            fill = 40 if self.stacked else 8
            found["custom"] = {"stacking": stacking, "fillOpacity": fill, "showPoints": "never"}
        return found

    def _options(self) -> Json:
        if self.kind == "stat":
            return {"colorMode": "background", "reduceOptions": {"calcs": ["lastNotNull"]}}
        if self.kind == "table":
            return {"showHeader": True}
        return {"legend": {"displayMode": "list"}, "tooltip": {"mode": "multi", "sort": "desc"}}


@dataclass(frozen=True, slots=True)
class Row:
    """A heading with the panels below it; `height` is that of each, `repeat` a variable."""

    title: str
    panels: Sequence[Panel]
    height: int = 8
    repeat: str | None = None


def grid(rows: Sequence[Row]) -> list[Json]:
    """Lay out rows from the top, panels from the left, beginning a new line where one is full."""
    laid: list[Json] = []
    y = 0
    for row in rows:
        heading: Json = {
            "id": len(laid) + 1,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1},
        }
        if row.repeat is not None:
            heading["repeat"] = row.repeat
        laid.append(heading)
        x, y = 0, y + 1
        for panel in row.panels:
            if x + panel.width > WIDTH:
                x, y = 0, y + row.height
            laid.append(panel.json(len(laid) + 1, x, y, row.height))
            x += panel.width
        y += row.height
    return laid


def _overrides() -> list[Json]:
    """Give both sides their colours, wherever a legend begins with one of them."""
    return [
        {"matcher": {"id": "byRegexp", "options": f"^{side}.*"},
         "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}]}
        for side, colour in COLOURS.items()
    ]  # fmt: skip
