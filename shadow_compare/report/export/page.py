"""A document as one page that needs nothing else: no script, no font, no address to ask."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape

from shadow_compare.report.coverage import whole
from shadow_compare.report.export.document import Document, instant
from shadow_compare.report.interval import Rate, rate_of
from shadow_compare.report.samples import arrange
from shadow_compare.report.summary import SignatureDetail


def as_html(document: Document) -> str:
    """Write a document; what it shows came from applications, and is escaped wherever it stands."""
    return _template().render(
        document=document,
        whole=whole(document.coverage),
        groups=[_group(detail) for detail in document.details],
    )


def _group(detail: SignatureDetail) -> dict[str, Any]:
    found = detail.summary
    views = [arrange(sample.to_plain(), whole=False) for sample in detail.samples]
    return {"found": found, "rate": rate_of(found.count, found.compared), "views": views}


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("shadow_compare.report.export", "."),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(instant=instant, count="{:,}".format, percent=_percent, rate=_rate)
    return environment.get_template("page.html")


def _percent(fraction: float | None) -> str:
    """Write a fraction; 0% and 100% mean exactly none and exactly all."""
    if fraction is None:
        return "–"  # noqa: RUF001 - a dash, for what is not known
    if fraction in (0.0, 1.0):
        return f"{fraction:.0%}"
    shown = f"{fraction * 100:.2f}"
    return "<0.01%" if shown == "0.00" else ">99.99%" if shown == "100.00" else f"{shown}%"


def _rate(rate: Rate | None) -> str:
    if rate is None:
        return _percent(None)
    return f"{_percent(rate.value)} ({_percent(rate.low)} to {_percent(rate.high)})"
