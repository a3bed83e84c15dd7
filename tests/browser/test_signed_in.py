"""People with accounts in real Chromium: who may do nothing, and whose session ends in an edit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from proxy.admin.account_guard import SESSION_COOKIE
from proxy.admin.accounts import new_account
from proxy.admin.principal import Role
from tests.support_console import FakeController, FakeReport
from tests.support_console_server import serving

MADE = {role: new_account(role.word, role) for role in Role}

SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(
    chromium: Browser, controller: FakeController, report: FakeReport, tmp_path: Path
) -> Iterator[SignIn]:
    """Give what signs somebody of a role in, with a browser of their own."""
    file = tmp_path / "accounts"
    file.write_text("".join(f"{account}\n" for account, _ in MADE.values()))
    with serving(controller, report, file) as base:

        def go(role: Role, path: str, *, scripts: bool = True) -> Page:
            context = chromium.new_context(base_url=base, java_script_enabled=scripts)
            page = context.new_page()
            page.goto(path)
            page.get_by_label("Token").fill(MADE[role][1])
            page.get_by_role("button", name="Sign in").click()
            expect(page.locator(".asof")).to_be_visible()
            page.wait_for_load_state()  # who types before the scripts run is not checked
            return page

        yield go
        for context in chromium.contexts:
            context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_session_ends_in_the_middle_of_an_edit_and_no_word_is_lost(
    sign_in: SignIn, controller: FakeController, *, scripts: bool
) -> None:
    """The text waits in the page that asks for the token, and is put in force after all."""
    page = sign_in(Role.ADMIN, "/rules/edit", scripts=scripts)
    text = page.get_by_role("textbox", name="Your text")
    wanted = text.input_value().replace("weight: 10%", "weight: 33%")
    text.fill(wanted)
    if scripts:
        expect(page.locator("#rules-check")).to_contain_text("plans: weight 10% -> 33%")
    else:
        page.get_by_role("button", name="Check").click()
    page.get_by_label("Reason").fill("a third of them")
    page.context.clear_cookies(name=SESSION_COOKIE)
    page.get_by_role("button", name="Put in force").click()
    expect(page.get_by_text("What you typed is kept in this page")).to_be_visible()
    assert controller.number == 18
    page.get_by_label("Token").fill(MADE[Role.ADMIN][1])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("a third of them")).to_be_visible()
    page.get_by_role("button", name="Send it now").click()
    expect(page.locator(".flash")).to_have_text("Version 19 is in force.")
    assert controller.history[-1].text == wanted
    assert (controller.history[-1].author, controller.history[-1].reason) == (
        "admin", "a third of them",
    )  # fmt: skip


def test_who_is_signed_out_while_typing_is_told_so(sign_in: SignIn) -> None:
    """The check says what is the matter, and that the text is safe."""
    page = sign_in(Role.ADMIN, "/rules/edit")
    page.context.clear_cookies(name=SESSION_COOKIE)
    page.get_by_role("textbox", name="Your text").press_sequentially("#")
    expect(page.locator("#rules-check")).to_contain_text("You are signed out. Your text is safe")
    expect(page.get_by_role("textbox", name="Your text")).to_have_value(re.compile("^#|#$"))


def test_a_viewer_looks_at_everything_and_can_do_nothing(
    sign_in: SignIn, controller: FakeController
) -> None:
    """No form that changes anything is offered, on any page; and one that is sent is refused."""
    page = sign_in(Role.VIEWER, "/differences")
    expect(page.get_by_role("note")).to_contain_text("viewer is a viewer")
    expect(page.locator("li.group")).to_have_count(3)
    expect(page.locator("li.group").first).to_be_visible()
    for path in (
        "/differences",
        "/differences/9f1c2ab4d0e17735",
        "/rules",
        "/rules/18",
        "/rules/edit",
    ):
        page.goto(path)
        buttons = page.locator("main form[method=post] button:visible").all_text_contents()
        assert buttons == [], path
    sent = page.evaluate(
        """() => fetch("/rules/edit", {
            method: "POST", body: new URLSearchParams({text: "x", reason: "x"}),
        }).then((answer) => answer.status)"""
    )
    assert sent == 403
    assert controller.number == 18
