"""Operators at the console of the real proxy, while people are being served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.support_axe import axe_faults
from tests.support_live import WINDOW

if TYPE_CHECKING:
    from tests.browser.conftest import Desk

SLOWLY = 3_000.0 * WINDOW
"""Milliseconds in which a share that is observed over a window has surely followed."""

WATCH = """() => {
  const seen = () => document.querySelector(".phase.rolled_back");
  window.seenAt = 0;
  const look = () => {
    if (!window.seenAt && seen()) window.seenAt = performance.timeOrigin + performance.now();
  };
  const everything = { subtree: true, childList: true, attributes: true, characterData: true };
  new MutationObserver(look).observe(document.getElementById("live"), everything);
}"""


def observed(page: Page) -> float:
    """Read the share that the page says is observed, as a fraction."""
    text = (
        page.locator("dt", has_text="Observed").locator("xpath=following-sibling::dd").inner_text()
    )
    return float(text.splitlines()[0].removesuffix("%")) / 100


def test_a_weight_is_raised_and_the_observed_share_follows(desk: Desk) -> None:
    """From the preview to the change to the people who move, without another look at the server."""
    desk.live.at("20%")
    page = desk.sit("ada", "/routes/orders")
    page.get_by_label("Weight, %").fill("70")
    preview = page.locator("#weight-preview")
    expect(preview).to_contain_text("20% → 70%: 50% of the users move from legacy to modern")
    expect(preview).to_contain_text("buckets 2000 to 6999")
    expect(preview).to_contain_text("a jump from 0.5% to 5% errors will be caught after about")
    expect(preview.locator(".warnings")).to_contain_text("50% of all users move at once")
    page.locator("#weight-form").get_by_label("Reason").fill("the evidence is good")
    page.get_by_role("button", name="Change weight").click()
    expect(page.locator(".flash")).to_contain_text("orders is at 70%")
    page.evaluate("window.notReloaded = true")
    wanted = desk.live.share_of[70]
    page.wait_for_function(
        """(wanted) => {
          const terms = [...document.querySelectorAll("dt")];
          const told = terms.find((each) => each.textContent === "Observed").nextElementSibling;
          return Math.abs(parseFloat(told.textContent) / 100 - wanted) < 0.03;
        }""",
        arg=wanted,
        timeout=SLOWLY,
    )
    assert abs(observed(page) - wanted) < 0.04
    assert page.evaluate("window.notReloaded")
    page.get_by_role("button", name="Undo: back to 20%").click()
    expect(page.locator(".flash")).to_contain_text("orders is at 20%")
    expect(page.locator("#route-decisions").locator("xpath=../..")).to_contain_text(
        "undo of version"
    )


def test_a_rollback_is_seen_as_it_happens_and_resumed_from_its_page(desk: Desk) -> None:
    """Under a second from the decision, without a reload; then why, and back to work from there."""
    desk.live.at("50%")
    page = desk.sit("ada", "/routes/orders")
    expect(page.locator("#chart .u-over")).to_be_visible()  # drawn by uPlot, under the policy
    page.evaluate(WATCH)
    desk.live.modern.failing = 1.0
    page.wait_for_function("() => window.seenAt > 0", timeout=30_000)
    desk.live.modern.failing = 0.0
    decided = page.evaluate(
        """async () => {
          const listed = await (await fetch("/api/v1/decisions?route=orders&limit=1")).json();
          return Date.parse(listed.decisions[0].at);
        }"""
    )
    delay = page.evaluate("window.seenAt") - decided
    assert 0 <= delay < 1_000, f"seen {delay:.0f} ms after the decision"
    expect(page.get_by_role("heading", name="Resume")).to_be_visible()
    page.locator("[aria-labelledby=decisions-title] .events .what a").first.click()
    expect(page.locator("p.headline")).to_contain_text(
        "Cutover rolled orders back to legacy, because"
    )
    facts = page.locator("dl.facts-list > div")  # one detector or another has seen it first
    expect(facts.filter(has_text="Sample")).to_contain_text("requests")
    expect(facts.filter(has_text="Led to")).to_contain_text("rules version")
    expect(page.locator("table.samples tbody tr").first).to_contain_text("/orders")
    form = page.locator("#resume-form")
    form.get_by_label("Resume at weight, %").fill("30")
    form.get_by_label("Reason").fill("modern is mended")
    form.get_by_label("before the cool-down ends").check()
    form.get_by_role("button", name="Resume orders").click()
    expect(page.locator(".flash")).to_contain_text("orders is resumed at 30%")
    assert set(desk.live.answers(60)) == {"legacy", "modern"}


def test_two_operators_collide_and_nothing_is_lost(desk: Desk) -> None:
    """The second is told while typing, refused once with the name of the first, and then heard."""
    desk.live.at("20%")
    first, second = desk.sit("ada", "/routes/orders"), desk.sit("grace", "/routes/orders")
    second.get_by_label("Weight, %").fill("5")
    second.locator("#weight-form").get_by_label("Reason").fill("fewer for tonight")
    first.get_by_label("Weight, %").fill("40")
    first.locator("#weight-form").get_by_label("Reason").fill("more of them")
    first.get_by_role("button", name="Change weight").click()
    expect(first.locator(".flash")).to_contain_text("orders is at 40%")
    expect(second.locator("#weight-form .moved-on")).to_contain_text("moved on from version")
    second.get_by_role("button", name="Change weight").click()
    expect(second.locator("#weight-form .problem")).to_contain_text("by ada: more of them")
    expect(second.locator("#weight-form").get_by_label("Reason")).to_have_value("fewer for tonight")
    assert desk.live.api("GET", "/routes/orders")["weight_configured"] == 40
    second.get_by_role("button", name="Change weight").click()
    expect(second.locator(".flash")).to_contain_text("orders is at 5%")
    desk.complaints[:] = [each for each in desk.complaints if "409" not in each]


def test_a_viewer_sees_everything_and_can_do_nothing(desk: Desk) -> None:
    """No form, no button, no switch; and what is sent all the same is refused."""
    desk.live.at("20%")
    page = desk.sit("vera", "/routes/orders")
    expect(page.get_by_role("note")).to_contain_text("vera is a viewer")
    for path in ("/routes/orders", "/pins", "/decisions", "/hosts", "/"):
        page.goto(path)
        expect(page.locator("main form[method=post]").locator("visible=true")).to_have_count(0)
        expect(page.get_by_role("link", name="Kill switch")).to_have_count(0)
    before = desk.live.api("GET", "/status")["version"]
    statuses = page.evaluate(
        """async () => {
          const body = new URLSearchParams({ reason: "x", weight: "99", on: "1" });
          const send = (path) => fetch(path, { method: "POST", body });
          const ofRoute = ["weight", "rollback", "resume"].map((verb) => `/routes/orders/${verb}`);
          const paths = [...ofRoute, "/kill-switch", "/pins/add"];
          return Promise.all(paths.map(async (path) => (await send(path)).status));
        }"""
    )
    assert statuses == [403] * 5
    assert desk.live.api("GET", "/status")["version"] == before
    page.goto("/explain")
    page.get_by_label("Path and query").fill("/orders")
    page.get_by_label("Headers, one a line").fill("Cookie: visitor=person-1")
    page.get_by_role("button", name="Explain").click()
    expect(page.locator(".chain")).to_contain_text("bucket")
    desk.complaints[:] = [each for each in desk.complaints if "403" not in each]


def test_the_kill_switch_stops_everything_in_two_steps(desk: Desk) -> None:
    """From any page with the keys alone: what it will do, and then nobody is on modern."""
    desk.live.at("50%")
    page = desk.sit("ada", "/hosts")
    expect(page.locator("p.headline")).to_contain_text("workers run by version")
    page.keyboard.press("g")
    page.keyboard.press("k")
    expect(page.get_by_text("It takes modern out of")).to_contain_text("orders (50%)")
    page.get_by_role("button", name="Turn the kill switch on").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("The kill switch is on")
    assert set(desk.live.answers(120)) == {"legacy"}
    page.get_by_role("link", name="Turn it off").click()
    page.get_by_label("Reason").fill("mended")
    page.get_by_role("button", name="Turn the kill switch off").click()
    expect(page.get_by_text("Kill switch is on")).to_have_count(0)
    assert set(desk.live.answers(120)) == {"legacy", "modern"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_real_pages_can_be_used_by_everybody(desk: Desk, scheme: str) -> None:
    """With figures of real traffic, signed in, and with the palette and the list of keys open."""
    page = desk.sit("ada", "/routes/orders", color_scheme=scheme)
    expect(page.locator("#chart .u-over")).to_be_visible()
    assert axe_faults(page) == []
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").first).to_be_visible()
    assert axe_faults(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    assert axe_faults(page) == []
