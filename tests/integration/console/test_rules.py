"""The editor of the rules as a browser without scripts uses it, and what its forms refuse."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import httpx
import pytest

from proxy.admin.console.rules_actions import FORM_MAX
from tests.support_console import DOCUMENT, FakeController

if TYPE_CHECKING:
    from tests.integration.console.conftest import Browser

EDIT = "/rules/edit"
OTHER = DOCUMENT.replace("weight: 10%", "weight: 50%")


@pytest.fixture
def controller() -> FakeController:
    """A controller whose document in force is the example, as version 19."""
    found = FakeController()
    found._record("import", None, "ada", "first", {}, DOCUMENT)
    return found


def text_in(html: str) -> str:
    """Give the document in the field."""
    found = re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", html, re.DOTALL)
    assert found
    return unescape(found[1]).replace("\r\n", "\n")  # as browsers read it


def words(html: str) -> str:
    """Give what a page says."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def reviewed(browser: Browser, text: str, **fields: str) -> httpx.Response:
    """Send a text to be looked at, with line ends as browsers send them."""
    hidden = browser.hidden(EDIT, "rules-form")
    sent = {**hidden, "verb": "review", "text": text.replace("\n", "\r\n"), **fields}
    return browser.client.post(f"{EDIT}/review", data=sent)


def saved(browser: Browser, page: httpx.Response, **fields: str) -> httpx.Response:
    """Send the form of a page as it is, signed."""
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
    text = text_in(page.text).replace("\n", "\r\n")
    signed = {**hidden, "text": text, "author": "ada", "reason": "half of them", **fields}
    return browser.client.post(EDIT, data=signed)


def test_a_document_is_looked_at_and_put_in_force(
    browser: Browser, controller: FakeController
) -> None:
    """What it does is told in words and lines before; line ends are those of the document."""
    page = reviewed(browser, OTHER)
    assert "Valid. It changes: plans: weight 10% -> 50%" in words(page.text)
    assert re.search(r"weight: <mark>10</mark>%", page.text)
    answer = saved(browser, page)
    assert (answer.status_code, answer.headers["location"]) == (303, "/rules")
    assert controller.history[-1].text == OTHER
    assert (controller.history[-1].author, controller.history[-1].reason) == ("ada", "half of them")
    assert "Version 20 is in force." in browser.get("/rules").text


def test_nothing_is_put_in_force_that_was_not_looked_at(
    browser: Browser, controller: FakeController
) -> None:
    """A text that changed since is shown first, with what it does; the text is kept."""
    page = reviewed(browser, OTHER)
    later = OTHER.replace("weight: 50%", "weight: 60%")
    answer = saved(browser, page, text=later)
    assert answer.status_code == 422
    assert "Look at what it changes" in answer.text
    assert "weight 10% -> 60%" in words(answer.text)
    assert text_in(answer.text) == later
    assert controller.number == 19
    assert saved(browser, answer).status_code == 303


def test_what_is_wrong_is_told_with_line_and_column(
    browser: Browser, controller: FakeController
) -> None:
    """Beside the text, with the suggestion; sending it anyway changes nothing."""
    wrong = DOCUMENT.replace("weight: 10%", "wieght: 10%")
    page = reviewed(browser, wrong)
    assert "1 problem: it cannot be put in force" in words(page.text)
    assert "line 9, column 5" in words(page.text)
    assert "did you mean `weight`?" in words(page.text)
    answer = saved(browser, page)
    assert answer.status_code == 422
    assert "nothing was changed" in answer.text
    assert text_in(answer.text) == wrong
    assert controller.number == 19


def test_the_second_of_two_sees_what_the_first_changed_and_keeps_the_text(
    browser: Browser, controller: FakeController
) -> None:
    """Other lines: both can be had with one button, and without a lost update."""
    page = reviewed(browser, OTHER)
    theirs = DOCUMENT.replace("share: 100%", "share: 20%")
    controller._record("import", None, "grace", "less load", {}, theirs)
    answer = saved(browser, page)
    assert answer.status_code == 409
    told = words(answer.text)
    assert "Meanwhile, since version 19" in told
    assert "by grace: less load" in told
    assert "plans: mirror.share 100% -> 20%" in told
    assert text_in(answer.text) == OTHER
    base = dict(re.findall(r'name="(\w+)" value="([^"]*)"', answer.text))["base"]
    both = reviewed(browser, OTHER, verb="take", base=base)
    assert text_in(both.text) == OTHER.replace("share: 100%", "share: 20%")
    assert "Valid. It changes: plans: weight 10% -> 50% in force" in words(both.text)
    assert saved(browser, both).status_code == 303
    assert controller.history[-1].text == OTHER.replace("share: 100%", "share: 20%")


def test_two_who_change_the_same_line_are_told(
    browser: Browser, controller: FakeController
) -> None:
    """Nobody wins by being second; who still wants it sends it again, seeing what it undoes."""
    page = reviewed(browser, OTHER)
    theirs = DOCUMENT.replace("weight: 10%", "weight: 20%")
    controller._record("import", None, "grace", "a little more", {}, theirs)
    answer = saved(browser, page)
    assert "It changes some of the same lines" in answer.text
    assert "plans: weight 20% -> 50%" in words(answer.text)
    assert controller.history[-1].text == theirs
    assert saved(browser, answer).status_code == 303
    assert controller.history[-1].text == OTHER


def test_a_document_with_windows_line_ends_keeps_them(
    browser: Browser, controller: FakeController
) -> None:
    """Browsers send CR LF whatever there was; only what was edited changes."""
    controller._record("import", None, "ada", "from a PC", {}, DOCUMENT.replace("\n", "\r\n"))
    page = reviewed(browser, OTHER)
    assert "1 line out" in words(page.text)
    assert saved(browser, page).status_code == 303
    assert controller.history[-1].text == OTHER.replace("\n", "\r\n")


def test_any_two_versions_are_compared(browser: Browser, controller: FakeController) -> None:
    """In either direction; what is not there is told."""
    controller._record("import", None, "grace", "more", {}, OTHER)
    page = browser.get("/rules/compare?before=19&after=20").text
    assert "plans: weight 10% -> 50%" in words(page)
    back = browser.get("/rules/compare?before=20&after=19").text
    assert "plans: weight 50% -> 10%" in words(back)
    assert "they say the same" in browser.get("/rules/compare?before=20&after=20").text
    for query in ("before=1&after=20", "before=x&after=20", ""):
        assert browser.get(f"/rules/compare?{query}").status_code == 404


def test_an_earlier_document_is_put_in_force_again(
    browser: Browser, controller: FakeController
) -> None:
    """The page says what that changes now; the form is refused when somebody came before."""
    controller._record("import", None, "grace", "more", {}, OTHER)
    page = "/rules/19"
    assert "it changes: plans: weight 50% -> 10%" in words(browser.get(page).text)
    stale = browser.send(page, "revert-form", f"{page}/revert", expected_version="19")
    assert stale.status_code == 409
    assert browser.send(page, "revert-form", f"{page}/revert").status_code == 303
    assert controller.history[-1].text == DOCUMENT
    assert controller.journal[-1].action == "revert"


@pytest.mark.parametrize("path", [EDIT, f"{EDIT}/check", f"{EDIT}/review"])
def test_a_form_without_end_is_refused(
    browser: Browser, controller: FakeController, path: str
) -> None:
    """Its size is bounded before anything is read of it."""
    assert browser.client.post(path, data={"text": "x" * FORM_MAX}).status_code == 413
    assert controller.number == 19


def test_a_document_that_is_too_long_or_too_deep_is_a_problem_like_others(
    browser: Browser, controller: FakeController
) -> None:
    """Nothing breaks by what is pasted."""
    for hostile in ("[" * 100_000, "x" * 1_100_000, "&a [*a]", "\x00", "a: !!python/object:x {}"):
        page = reviewed(browser, hostile)
        assert page.status_code == 200
        assert "cannot be put in force" in page.text
    assert controller.number == 19


def test_what_is_checked_while_typing_is_a_piece(browser: Browser) -> None:
    """No page around it, and the name of the text that was checked."""
    piece = browser.client.post(f"{EDIT}/check", data={"text": OTHER}).text
    assert "<html" not in piece
    assert "weight 10% -> 50%" in words(piece)
    assert 'name="reviewed"' in piece
