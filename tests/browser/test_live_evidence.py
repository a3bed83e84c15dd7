"""Operators at the console of the real proxy: what differs, and what decides."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from proxy.admin.account_guard import SESSION_COOKIE
from tests.support_app import Trouble
from tests.support_axe import axe_faults

if TYPE_CHECKING:
    from tests.browser.conftest import Desk

SOON = 30_000.0
"""Milliseconds within which a comparison of live traffic is surely in the store."""


def test_a_difference_is_found_and_accepted_and_counts_no_more(desk: Desk) -> None:
    """From the list to both answers to the rule, which stands in the document in force."""
    desk.live.at("20%")
    desk.live.modern.troubles["/orders"] = Trouble(body=b'{"orders": [], "total": "0.00"}')
    try:
        page = desk.sit("ada", "/differences")
        group = page.locator("li.group").filter(has_text="$.total")
        expect(group.first).to_be_visible(timeout=SOON)
    finally:
        desk.live.modern.troubles.clear()
    assert axe_faults(page) == []
    group.first.get_by_role("link").first.click()
    expect(page.locator(".bodies .different mark").first).to_contain_text('"total": "0.00"')
    expect(page.locator(".occurrences rect")).not_to_have_count(0)
    page.get_by_text("Accept as expected").first.click()
    form = page.locator("#accept-form")
    expect(form.locator("#acceptance")).to_contain_text("kept samples")
    form.get_by_label("Reason").fill("the total is new")
    form.get_by_role("button").click()
    expect(page.locator(".flash")).to_contain_text("ruled out with version")
    rules = desk.live.api("GET", f"/versions/{desk.live.api('GET', '/status')['version']}")["text"]
    assert re.search(r"\$\.total.*the total is new", rules)
    assert axe_faults(page) == []


def test_rules_are_edited_wrongly_and_the_session_ends_before_they_are_right(desk: Desk) -> None:
    """Told at once by the real check; signed out in between; in force and in the file after all."""
    desk.live.at("20%")
    page = desk.sit("root", "/rules/edit")
    text = page.get_by_role("textbox", name="Your text")
    before = text.input_value()
    wrong = before.replace("weight: 20%", "weight: 200%", 1)
    assert wrong != before
    text.fill(wrong)
    expect(page.locator(".problems li")).to_contain_text("must lie between 0% and 100%")
    text.fill(f"{before}# looked through in the meeting\n")
    expect(page.locator("#rules-check")).to_contain_text("Nothing that decides about requests")
    page.get_by_label("Reason").fill("looked through")
    page.context.clear_cookies(name=SESSION_COOKIE)
    page.get_by_role("button", name="Put in force").click()
    page.get_by_label("Token").fill(desk.live.tokens["root"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Send it now").click()
    expect(page.locator(".flash")).to_contain_text("is in force")
    assert desk.live.proxy.rules.read_text().endswith("# looked through in the meeting\n")
    page.goto("/audit/verify")
    expect(page.get_by_role("heading", name="The chain is whole")).to_be_visible()
    page.goto("/reports/orders")
    expect(page.locator(".report")).to_contain_text("mirrored answers were compared")
    desk.complaints[:] = [each for each in desk.complaints if "401" not in each]
