"""The shell around all pages: palette, keys, filter, charts that live on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.support_console import DOCUMENT, route
from tests.support_series import past_hours, rolled_up

if TYPE_CHECKING:
    from tests.browser.conftest import Console


def test_the_palette_jumps_to_routes_pages_and_actions(console: Console) -> None:
    """A few letters, the arrows and Enter; Escape changes nothing."""
    page = console.open("/rules")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name="Overview")).to_be_visible()
    page.keyboard.type("roll plans")
    expect(page.get_by_role("option").first).to_contain_text("Roll back plans")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("plans")
    assert page.url.endswith("/routes/plans#rollback-title")
    page.get_by_role("link", name="Jump").click()
    page.keyboard.type("billing")
    expect(page.get_by_role("option")).to_have_text(
        ["billing.history route", "Resume billing.history action"]
    )
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()


def test_keys_lead_to_pages_and_rows_and_are_listed(console: Console) -> None:
    """And none of them is taken from somebody who types."""
    page = console.open("/decisions")
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page.get_by_role("heading", level=2, name="Routes")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="subscriptions.list")).to_be_focused()
    page.keyboard.press("k")
    expect(page.get_by_role("link", name="billing.history", exact=True)).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("g k?")
    expect(page.get_by_label("Filter routes")).to_have_value("g k?")
    page.get_by_label("Filter routes").blur()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Hosts and health")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#keys")).to_be_hidden()


def test_routes_are_filtered_as_somebody_types(console: Console) -> None:
    """Without a reload; the address can be pasted, and the filter holds through live updates."""
    console.controller.routes |= {f"r{n}": route(f"r{n}", path=f"/r/{n}") for n in range(120)}
    page = console.open("/")
    page.evaluate("window.notReloaded = true")
    rows = page.locator("table.routes tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Page 2 of 3, 127 routes")).to_be_visible()
    page.goto("/")
    page.get_by_label("Filter routes").press_sequentially("billing rolled")
    expect(rows).to_have_count(1)
    page.wait_for_url("**/?q=billing+rolled")
    console.controller.take_back("plans", "cutover", "errors", {})
    expect(page.locator(".asof")).to_contain_text("rules version 19")
    expect(rows).to_have_count(1)
    expect(page.get_by_label("Filter routes")).to_be_focused()
    page.get_by_label("Filter routes").fill("")
    expect(rows).to_have_count(50)


def test_a_chart_is_drawn_twice_and_lives_on(console: Console) -> None:
    """By the server for everybody, by uPlot where there are scripts; decisions show up as marks."""
    now = time.time()
    console.controller.minutes = past_hours("plans", now, 1000)
    console.controller.rolled = rolled_up("plans", now, 1000)
    plain = console.open("/routes/plans?range=6h&figure=p95", java_script_enabled=False)
    expect(plain.locator("#chart svg.chart polyline")).to_have_count(2)
    expect(plain.locator("#chart-legend")).to_contain_text("requests")
    plain.get_by_role("link", name="26w").click()
    expect(plain.locator("#chart svg.chart polyline")).to_have_count(2)
    plain.get_by_role("link", name="as a table").click()
    expect(plain.locator("table.figures tbody tr")).to_have_count(41)
    page = console.open("/routes/plans")
    expect(page.locator("#chart .u-over")).to_be_visible()
    readout = page.locator("#chart .readout")
    expect(readout).to_contain_text("legacy")
    page.locator("#chart .u-over").hover(position={"x": 200, "y": 60})
    expect(readout).to_contain_text("(n ")
    with page.expect_response(lambda answer: "/api/v1/series" in answer.url) as answer:
        console.controller.take_back("plans", "cutover", "errors", {})
    assert [mark["label"] for mark in answer.value.json()["marks"]][-1] == "rolled back"
    drawn = page.evaluate(
        """() => {
          const canvas = document.querySelector("#chart canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return data.some((value) => value > 0);
        }"""
    )
    assert drawn


def test_a_preview_without_scripts_is_a_page(console: Console) -> None:
    """What a weight would do is told before anything is sent, and typed is what was previewed."""
    page = console.open("/routes/plans", java_script_enabled=False)
    page.get_by_label("Weight, %").fill("60")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#weight-preview")).to_contain_text("10% → 60%: 50% of the users move")
    expect(page.get_by_label("Weight, %")).to_have_value("60")
    assert console.controller.routes["plans"].weight_configured == 1000


def test_an_identity_is_pinned_and_let_go(console: Console) -> None:
    """From an explained request to the pin; the form says what is wrong with one that is none."""
    page = console.open("/explain?target=/api/plans")
    page.get_by_label("Headers, one a line").fill("Cookie: PHPSESSID=4711")
    page.get_by_role("button", name="Explain").click()
    expect(page.locator(".decided")).to_contain_text("on plans")
    expect(page.locator(".chain li").first).to_contain_text("plans: GET /api/plans")
    page.goto("/pins")
    page.get_by_label("Identity, as source=value").fill("4711")
    page.get_by_label("Reason").fill("tester")
    page.get_by_label("Your name").fill("ada")
    page.get_by_role("button", name="Pin", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("a source and a value")
    page.get_by_label("Identity, as source=value").fill("cookie:PHPSESSID=4711")
    page.get_by_role("button", name="Pin", exact=True).click()
    expect(page.locator(".flash")).to_contain_text("is held on modern with version 19")
    pins = '\npins: [{identity: "cookie:PHPSESSID=4711", side: modern, reason: tester}]\n'
    console.controller._record("import", None, "ada", "pinned", {}, DOCUMENT + pins)
    page.goto("/pins")
    page.get_by_label("Let cookie:PHPSESSID=4711 go").click()
    form = page.locator("#unpin-1")
    form.get_by_label("Reason").fill("tested")
    form.get_by_role("button", name="Let go").click()
    expect(page.locator(".flash")).to_contain_text("goes where its bucket sends it")
    assert console.controller.journal[-1].evidence == {"identity": "cookie:PHPSESSID=4711"}
    console.complaints[:] = [each for each in console.complaints if "422" not in each]
