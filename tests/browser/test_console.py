from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import Page, expect

from proxy.control.status import RouteStatus
from tests.support_axe import axe_faults
from tests.support_console import FakeController, FakeReport, route, sample, summary

if TYPE_CHECKING:
    from tests.browser.conftest import Console

EVIDENCE = {"detector": "error_rate", "value": 0.31, "bound": 0.05, "n": 40, "window": 60.0}
PAGES = [
    "/",
    "/routes/plans",
    "/routes/billing.history",
    "/differences",
    "/differences/9f1c2ab4d0e17735",
    f"/differences/proposals/{FakeReport().proposed[0].id}",
    "/decisions",
    "/decisions/1",
    "/rules",
    "/recording",
    "/decisions?kind=rollback",
    "/history?route=plans",
    "/hosts",
    "/pins",
    "/explain",
    "/jump",
    "/rules/18",
    "/rules/edit",
    "/audit",
    "/replays",
    "/accounts",
    "/settings",
    "/reports/subscriptions.list",
    "/kill-switch",
]


def mark(page: Page) -> None:
    """Leave a mark in the page that a reload would wipe out."""
    page.evaluate("window.notReloaded = true")


def is_marked(page: Page) -> bool:
    """Whether the page is still the one that was marked."""
    return bool(page.evaluate("window.notReloaded === true"))


def sign(page: Page, reason: str) -> None:
    """Fill in reason and name of the form that changes the weight."""
    page.locator("#weight-form").get_by_label("Reason").fill(reason)
    page.locator("#weight-form").get_by_label("Your name").fill("ada")


def test_a_weight_is_changed_with_a_preview_of_what_will_happen(console: Console) -> None:
    """Slider and number agree, the preview says who moves, and the page tells what was done."""
    page = console.open("/routes/plans")
    page.get_by_label("New share on modern").fill("40")
    expect(page.get_by_label("Weight, %")).to_have_value("40")
    expect(page.locator("#weight-preview")).to_contain_text(
        "10% → 40%: 30% of the users move from legacy to modern"
    )
    page.get_by_label("Weight, %").fill("2.5")
    expect(page.locator("#weight-preview")).to_contain_text("7.5% of the users move from modern")
    sign(page, "fewer for tonight")
    page.get_by_role("button", name="Change weight").click()
    expect(page.locator(".flash")).to_have_text("plans is at 2.5% with version 19.")
    expect(page.locator("#weight-form").get_by_label("Your name")).to_have_value("ada")
    assert console.controller.routes["plans"].weight_in_force == 250


def test_a_rollback_appears_without_a_reload(console: Console) -> None:
    """Overview and route page show a rollback as it happens: headline, phase, form, decision."""
    overview, detail = console.open("/"), console.open("/routes/plans")
    mark(overview)
    mark(detail)
    expect(detail.get_by_role("heading", name="Change the weight")).to_be_visible()
    console.controller.take_back("plans", "cutover", "error rate 31% is above 5%", EVIDENCE)
    expect(overview.get_by_role("heading", level=1)).to_contain_text("2 routes need you")
    expect(overview.locator(".events")).to_contain_text("the error rate of modern was 31%")
    expect(detail.get_by_role("heading", name="Resume")).to_be_visible()
    expect(detail.get_by_text("rolled back", exact=True)).to_be_visible()
    assert is_marked(overview)
    assert is_marked(detail)


def test_half_typed_text_and_focus_survive_what_happens_meanwhile(console: Console) -> None:
    """Refreshes go on around a form in use; it is warned about, refused once, and then taken."""
    page = console.open("/routes/plans")
    page.get_by_label("Weight, %").fill("25")
    reason = page.locator("#weight-form").get_by_label("Reason")
    reason.press_sequentially("gate pas")
    console.controller.take_back("users.read", "grace", "disk is slow", {})
    expect(page.locator("#weight-form .moved-on")).to_contain_text("moved on from version 18 to 19")
    expect(reason).to_be_focused()
    reason.press_sequentially("sed")
    expect(reason).to_have_value("gate passed")
    page.locator("#weight-form").get_by_label("Your name").fill("ada")
    page.get_by_role("button", name="Change weight").click()
    expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("by grace: disk is slow")
    expect(page.locator("#weight-form").get_by_label("Reason")).to_have_value("gate passed")
    expect(page.get_by_label("Weight, %")).to_have_value("25")
    page.get_by_role("button", name="Change weight").click()
    expect(page.locator(".flash")).to_contain_text("plans is at 25%")
    conflict = [c for c in console.complaints if "409" in c]
    assert len(conflict) == 1
    console.complaints.remove(conflict[0])  # the browser notes every answer of that kind


def test_a_refused_form_keeps_its_text_while_the_page_stays_live(console: Console) -> None:
    """What was sent back stays as typed, however often the numbers around it change."""
    page = console.open("/routes/billing.history")
    form = page.locator("#resume-form")
    form.get_by_label("Reason").fill("fixed the index")
    form.get_by_label("Your name").fill("ada")
    page.get_by_role("button", name="Resume billing.history").click()
    expect(form.get_by_role("alert")).to_contain_text("still cools down")
    live = page.locator("#live")
    console.controller.take_back("users.read", "grace", "disk is slow", {})
    expect(live.locator(".asof")).to_contain_text("rules version 19")
    expect(form.get_by_label("Reason")).to_have_value("fixed the index")
    expect(form.get_by_role("alert")).to_contain_text("still cools down")
    console.complaints[:] = [c for c in console.complaints if "422" not in c]


def test_an_untouched_form_follows_what_others_do(console: Console) -> None:
    """A form nobody touched shows the weight in force now, and is not refused for being old."""
    page = console.open("/routes/plans")
    console.controller.routes["plans"] = route("plans", weight_configured=6000)
    console.controller.take_back("users.read", "grace", "disk is slow", {})
    expect(page.get_by_label("Weight, %")).to_have_value("60")
    expect(page.get_by_label("New share on modern")).to_have_value("60")
    expect(page.locator("[name=expected_version]")).to_have_value("19")


def test_focus_stays_on_a_link_while_rows_change_places(console: Console) -> None:
    """A refresh that reorders the routes leaves the keyboard where it was."""
    page = console.open("/")
    link = page.get_by_role("link", name="plans", exact=True)
    link.focus()
    console.controller.take_back("users.read", "cutover", "errors", EVIDENCE)
    expect(page.locator("tbody tr").nth(1)).to_contain_text("users.read")
    expect(page.get_by_role("link", name="plans", exact=True)).to_be_focused()


def test_the_kill_switch_is_two_steps_from_anywhere(console: Console) -> None:
    """A click and a button, with the keyboard alone if need be; then every page says so."""
    page = console.open("/differences")
    page.get_by_role("link", name="Kill switch").press("Enter")
    expect(page.get_by_text("It takes modern out of 3 routes")).to_be_visible()
    page.get_by_label("Your name").fill("ada")
    page.get_by_label("Your name").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("The kill switch is on")
    assert console.controller.kill


def test_a_difference_is_found_from_the_overview(console: Console) -> None:
    """From a route to its differences to both answers, by following links."""
    page = console.open("/")
    page.get_by_role("link", name="plans", exact=True).click()
    page.get_by_role("link", name="$.data[*].price").click()
    marked = page.locator(".bodies .different mark").all_text_contents()
    assert marked == ['"29.00"', "29.5", '"sla": "4h"']
    expect(page.locator(".fold[open]")).to_have_count(0)
    page.get_by_role("link", name="unfold all").click()
    expect(page.locator(".fold:not([open])")).to_have_count(0)


def test_a_difference_is_searched_for_and_accepted(console: Console) -> None:
    """From words to the group to the rule that rules it out; then the list is without it."""
    page = console.open("/differences")
    page.get_by_label("Search").fill("PRICE 29.00")
    page.get_by_label("Search").press("Enter")
    expect(page.locator(".group .where > a")).to_have_text(["$.data[*].price"])
    page.get_by_role("link", name="$.data[*].price").click()
    page.get_by_text("Accept as expected").first.click()
    form = page.locator("#accept-form")
    form.get_by_label("Reason").fill("agreed with billing")
    form.get_by_label("Your name").fill("ada")
    form.get_by_role("button").click()
    assert not console.controller.ignored  # it is critical, and nobody said that this is meant
    form.get_by_label("though the rules call it critical").check()
    form.get_by_role("button").click()
    expect(page.locator(".flash")).to_contain_text("ruled out with version 19")
    expect(page.get_by_text("by ada: agreed with billing").last).to_be_visible()
    (rule,) = console.controller.ignored["plans"]
    assert rule.path == "$.data[*].price"
    page.goto("/differences")
    expect(page.get_by_role("link", name="$.data[*].price")).to_have_count(0)


def test_an_open_form_stays_open_and_typed_in_while_the_page_is_live(console: Console) -> None:
    """A refresh closes nothing, and says that the rules moved on."""
    page = console.open("/differences/47aa10f3c2b9d811")
    page.get_by_text("Accept as expected").first.click()
    form = page.locator("#accept-form")
    form.get_by_label("Reason").fill("half a sen")
    console.controller.take_back("users.read", "grace", "disk is slow", {})
    expect(form.locator(".moved-on")).to_contain_text("moved on from version 18 to 19")
    expect(form.get_by_label("Reason")).to_have_value("half a sen")
    expect(form).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_proposal_is_adopted_and_a_group_marked(console: Console, *, scripts: bool) -> None:
    """With and without JavaScript: links, a date that is filled in, and two forms."""
    page = console.open("/differences", java_script_enabled=scripts)
    page.get_by_role("link", name="$.meta.at").click()
    expect(page.get_by_label("Last day it holds")).not_to_have_value("")
    page.get_by_label("Your name").fill("ada")
    page.get_by_role("button", name="Adopt this rule").click()
    expect(page.locator(".flash")).to_have_text("The rule is in force with version 19.")
    page.get_by_role("link", name="$.data[*].history_url").click()
    page.get_by_text("Mark as fixed").first.click()
    page.locator("#fixed-form").get_by_label("Reason").fill("release 2.4.1")
    page.get_by_role("button", name="Mark as fixed").click()
    expect(page.locator(".flash")).to_contain_text("Marked as fixed")
    assert console.report.details[1].summary.state_author == "ada"  # the name was remembered


def test_what_was_found_is_taken_along_as_a_file(console: Console) -> None:
    """The links of a list and of a group save what they say."""
    page = console.open("/differences?search=history_url")
    with page.expect_download() as download:
        page.get_by_role("link", name="table").click()
    text = download.value.path().read_text()
    assert download.value.suggested_filename == "differences.csv"
    assert "47aa10f3c2b9d811" in text
    assert "9f1c2ab4d0e17735" not in text
    page.goto("/differences/9f1c2ab4d0e17735")
    with page.expect_download() as download:
        page.get_by_role("link", name="tests").click()
    assert download.value.suggested_filename == "difference-9f1c2ab4d0e17735.py"


def test_an_unfolded_part_stays_so_while_the_page_is_live(console: Console) -> None:
    """Unfolding equal lines is not undone by a refresh, nor is the sample changed."""
    page = console.open("/differences/9f1c2ab4d0e17735")
    page.get_by_role("link", name="Sample 2").click()
    page.locator(".bodies .fold summary").first.click()
    console.controller.take_back("users.read", "cutover", "errors", EVIDENCE)
    expect(page.locator(".asof")).to_contain_text("rules version 19")
    expect(page.get_by_role("heading", name="Sample 2 of 2")).to_be_visible()
    folds = page.locator(".bodies .fold")
    assert folds.evaluate_all("all => all.map(each => each.open)") == [True, False]


def test_several_groups_are_decided_about_at_once(console: Console) -> None:
    """Chosen by hand or all, one reason for all; what is refused leaves them chosen."""
    page = console.open("/differences")
    expect(page.get_by_role("button", name="Mark as fixed")).to_be_hidden()
    page.get_by_label("Choose all groups of this page").check()
    expect(page.locator("#bulk-count")).to_have_text("3 groups chosen")
    page.get_by_label("Choose status 200").uncheck()
    form = page.locator("#bulk-form")
    form.get_by_label("Reason").fill("agreed in the meeting")
    form.get_by_label("Your name").fill("ada")
    form.get_by_role("button", name="Accept as expected").click()
    expect(form.get_by_role("alert")).to_contain_text("critical")
    assert not console.controller.ignored
    form.get_by_label("also critical ones").check()
    form.get_by_role("button", name="Accept as expected").click()
    expect(page.locator(".flash")).to_contain_text("2 groups expected until")
    expect(page.locator("li.group")).to_have_count(1)
    assert {route: len(rules) for route, rules in console.controller.ignored.items()} == {
        "plans": 1, "subscriptions.list": 2,
    }  # fmt: skip
    console.complaints[:] = [c for c in console.complaints if "422" not in c]


def test_rules_are_edited_wrongly_and_then_rightly(console: Console) -> None:
    """Told while typing, beside the text and in it; what it does in words; then it is in force."""
    page = console.open("/rules")
    page.get_by_role("link", name="Edit").click()
    text = page.get_by_role("textbox", name="Your text")
    document = text.input_value()
    text.fill(document.replace("weight: 10%", "wieght: 10%"))
    problem = page.locator(".problems li")
    expect(problem).to_contain_text("line 9, column 5")
    expect(problem).to_contain_text("did you mean `weight`?")
    expect(page.locator("#gutter .wrong")).to_have_text("● 9")
    problem.get_by_role("link").click()
    expect(page.locator("#caret")).to_have_text("line 9, column 5")
    expect(text).to_be_focused()
    page.keyboard.press("Tab")
    expect(text).not_to_be_focused()
    text.fill(document.replace("weight: 10%", "weight: 50%"))
    expect(page.locator("#rules-check")).to_contain_text("plans: weight 10% -> 50%")
    page.get_by_label("Reason").fill("half of them")
    page.get_by_label("Your name").fill("ada")
    page.get_by_role("button", name="Put in force").click()
    expect(page.locator(".flash")).to_have_text("Version 19 is in force.")
    expect(page.locator("#L9")).to_contain_text("weight: 50%")
    assert console.controller.history[-1].text == document.replace("weight: 10%", "weight: 50%")


def test_two_operators_collide_over_the_rules(console: Console) -> None:
    """The second is told, sees the first one's lines, keeps the own text, and has both."""
    pages = [console.open("/rules/edit"), console.open("/rules/edit")]
    edits = [("share: 100%", "share: 20%"), ("weight: 10%", "weight: 50%")]
    for page, name, edit in zip(pages, ("grace", "ada"), edits, strict=True):
        text = page.get_by_role("textbox", name="Your text")
        text.fill(text.input_value().replace(*edit))
        expect(page.locator("#rules-check")).to_contain_text("Valid. It changes")
        page.get_by_label("Reason").fill(f"what {name} wants")
        page.get_by_label("Your name").fill(name)
    pages[0].get_by_role("button", name="Put in force").click()
    expect(pages[0].locator(".flash")).to_be_visible()
    second = pages[1]
    expect(second.locator(".moved-on")).to_contain_text("moved on from version 18 to 19")
    second.get_by_role("button", name="Put in force").click()
    expect(second.locator(".theirs")).to_contain_text("by grace: what grace wants")
    expect(second.locator(".theirs")).to_contain_text("plans: mirror.share 100% -> 20%")
    expect(second.get_by_role("textbox", name="Your text")).to_have_value(re.compile("weight: 50%"))
    second.get_by_role("button", name="Put their changes into my text").click()
    expect(second.locator("#rules-check .changes")).to_have_text("plans: weight 10% -> 50%")
    expect(second.get_by_label("Reason")).to_have_value("what ada wants")
    second.get_by_role("button", name="Put in force").click()
    expect(second.locator(".flash")).to_have_text("Version 20 is in force.")
    kept = console.controller.history[-1].text
    assert "share: 20%" in kept
    assert "weight: 50%" in kept
    console.complaints[:] = [c for c in console.complaints if "409" not in c]


def test_a_command_is_copied(console: Console) -> None:
    """With one button, where the browser allows it."""
    page = console.open(
        "/differences/9f1c2ab4d0e17735", permissions=["clipboard-read", "clipboard-write"]
    )
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("curl --path-as-is")


def test_a_page_says_when_its_numbers_are_old(console: Console) -> None:
    """Without an answer the page keeps what it has and says so; then it recovers."""
    page = console.open("/")
    page.route("**/*", lambda request: request.abort())
    expect(page.locator("#stale")).to_contain_text("The controller has not answered for")
    expect(page.get_by_role("link", name="plans", exact=True)).to_be_visible()
    page.unroute("**/*")
    expect(page.locator("#stale")).to_be_hidden()
    console.complaints.clear()  # the browser notes every request that failed


def test_a_route_that_leaves_the_rules_is_told_without_a_reload(console: Console) -> None:
    """The page of a route that is gone says so instead of showing old numbers."""
    page = console.open("/routes/plans")
    del console.controller.routes["plans"]
    expect(page.get_by_role("heading", level=1)).to_have_text("Not here")
    expect(page.locator("#stale")).to_be_hidden()
    console.complaints[:] = [c for c in console.complaints if "404" not in c]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_can_be_read_without_scripts(console: Console, path: str) -> None:
    """With JavaScript off each page has its heading, its numbers, and nothing half-made."""
    page = console.open(path, java_script_enabled=False)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".asof")).to_contain_text("rules version 18")
    expect(page.locator("#stale")).to_be_hidden()


@pytest.mark.parametrize("width", [390, 1440, 2560])
def test_every_page_fits_its_window_and_obeys_the_policy(console: Console, width: int) -> None:
    """From a telephone to a wall no page scrolls sideways, and nothing is stopped by the policy."""
    page = console.open("/", viewport={"width": width, "height": 900}, color_scheme="dark")
    for path in PAGES:
        page.goto(path)
        expect(page.locator(".asof")).to_be_visible()
        too_wide = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert too_wide <= 0, f"{path} is {too_wide} px too wide"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_used_by_everybody(
    console: Console, scheme: Literal["light", "dark"]
) -> None:
    """By the rules of WCAG 2.2 AA, as far as axe can tell: names, roles, contrast, order."""
    page = console.open("/", viewport={"width": 1440, "height": 900}, color_scheme=scheme)
    faults = {}
    for path in PAGES:
        page.goto(path)
        expect(page.locator(".asof")).to_be_visible()
        if found := axe_faults(page):
            faults[path] = found
    assert not faults


def test_the_keyboard_reaches_the_content_first(console: Console) -> None:
    """The first stop is a link past the navigation, and what has the focus is outlined."""
    page = console.open("/routes/plans")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    outline = skip.evaluate("e => getComputedStyle(e).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/routes/plans",
        "/differences",
        "/differences/evil",
        "/decisions/2",
        "/rules",
    ],
)
def test_hostile_text_stays_text_through_live_updates(
    console: Console, controller: FakeController, report: FakeReport, path: str
) -> None:
    """Markup from traffic neither runs at first nor when a refresh brings it into the page."""
    page = console.open(path if path != "/decisions/2" else "/decisions")
    hostile: RouteStatus = route("plans", path=HOSTILE, verdict_reason=HOSTILE)
    controller.routes["plans"] = hostile
    controller.take_back("plans", HOSTILE, HOSTILE, {})
    report.details = [type(report.details[0])(summary("evil", paths=(HOSTILE,)), (sample(),))]
    page.goto(path)
    expect(page.locator("#live")).to_contain_text("onerror=alert(1)")
    assert page.locator("#live img, #live script").count() == 0
    console.complaints[:] = [c for c in console.complaints if "404" not in c]
