"""The cutover report of a route: one set of figures as page, as PDF and as JSON."""

from __future__ import annotations

import io
import re
from html import unescape
from typing import TYPE_CHECKING

from pypdf import PdfReader

from shadow_compare.report import Coverage
from shadow_compare.report.coverage import Cell
from tests.support_console import FakeController, FakeReport

if TYPE_CHECKING:
    from tests.integration.console.conftest import Browser

ROUTE = "subscriptions.list"


def plain(text: str) -> str:
    """Give a text without blanks: where lines break is not what is compared."""
    return re.sub(r"\s+", "", text)


def test_page_pdf_and_api_say_the_same(
    browser: Browser, controller: FakeController, report: FakeReport
) -> None:
    """Every sentence and every cell of the JSON stands in the page and, as text, in the PDF."""
    report.covered[1] = Coverage(
        1087, 90, 14, {"timeout": 2}, route=ROUTE, cells={("GET", "2xx"): Cell(1087, 90, 14)}
    )
    controller.take_back(ROUTE, "cutover", "error rate of 5.7%", {"detector": "error_rate"})
    found = browser.get(f"/api/v1/routes/{ROUTE}/report").json()
    texts = [each for section in found["sections"] for each in (section["title"], *section["text"])]
    cells = [cell for section in found["sections"] for row in section["rows"] for cell in row]
    said = " ".join(texts)
    assert "1,191 of 1,193 mirrored answers were compared (99.83%)" in said
    assert "98.82% of them are the same, with 95% certainty between 98.04% and 99.3%" in said
    assert "2 groups of differences open, 1 of them critical" in said
    assert "1 decision, 1 of them a rollback" in said
    page = plain(unescape(re.sub(r"<[^>]+>", " ", browser.get(f"/reports/{ROUTE}").text)))
    answer = browser.get(f"/api/v1/routes/{ROUTE}/report?as=pdf")
    assert answer.headers["content-type"] == "application/pdf"
    pages = [each.extract_text() for each in PdfReader(io.BytesIO(answer.content)).pages]
    assert all(f"{n} / {len(pages)}" in text for n, text in enumerate(pages, start=1))
    printed = plain("".join(pages))
    aside = re.compile(r"\d{2}:\d{2}:\d{2}|\d+ s ago|N\{EN DASH}")
    for text in (*texts, *cells):
        if not aside.search(text):  # each was made at its own second
            assert plain(text) in page, text
            assert plain(text).replace("\N{EN DASH}", "") in printed.replace("\N{EN DASH}", ""), (
                text
            )


def test_a_route_without_evidence_says_so(browser: Browser, report: FakeReport) -> None:
    """Nothing compared is not the same as nothing different."""
    report.covered, report.details = [], []
    html = browser.get("/reports/everything-else").text
    assert "Nothing was compared, so nothing is known" in html
    assert browser.get("/reports/nope").status_code == 404
    assert browser.get("/api/v1/routes/nope/report").status_code == 404
    assert browser.get("/api/v1/routes/plans/report?as=exe").status_code == 422


def test_without_the_store_there_is_no_report(browser: Browser, report: FakeReport) -> None:
    """Half of the evidence is none."""
    report.broken = True
    assert browser.get("/reports/plans").status_code == 503
    assert browser.get("/api/v1/routes/plans/report").status_code == 503
