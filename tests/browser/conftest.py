"""Real Chromium over a console with a controller in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support_console import FakeController, FakeReport
from tests.support_console_server import serving
from tests.support_live import LiveStack, live_stack

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",  # the tests run as root, where Chromium has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Console:
    """What a story needs: the server side to act on, and pages that note every complaint."""

    base: str
    controller: FakeController
    report: FakeReport
    browser: Browser
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str = "/", **options: Any) -> Page:
        """Open a page in a browser of its own, with its own cookies."""
        page = self.browser.new_context(base_url=self.base, **options).new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        page.goto(path)
        return page

    def _note(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser process for the stories of a module.

    Not for the session: while it runs, Playwright's event loop would be in the way of async tests.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def live() -> Iterator[LiveStack]:
    """The real proxy between two applications, with accounts, under load; one for all stories."""
    with live_stack() as stack:
        yield stack


@dataclass
class Desk:
    """One operator's browser on the real console, signed in, with every complaint noted."""

    live: LiveStack
    browser: Browser
    complaints: list[str] = field(default_factory=list)

    def sit(self, name: str, path: str = "/", **options: Any) -> Page:
        """Sign in as somebody and open a page."""
        page = self.browser.new_context(base_url=self.live.base, **options).new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.goto(path)
        page.get_by_label("Token").fill(self.live.tokens[name])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**{path}")
        return page

    def _note(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")


@pytest.fixture
def desk(chromium: Browser, live: LiveStack) -> Iterator[Desk]:
    """Operators at the real console, which was not complained about."""
    desk = Desk(live, chromium)
    yield desk
    for context in chromium.contexts:
        context.close()
    assert desk.complaints == []


@pytest.fixture
def controller() -> FakeController:
    """A controller with routes in every phase."""
    return FakeController()


@pytest.fixture
def report() -> FakeReport:
    """A report with some groups of differences."""
    return FakeReport()


@pytest.fixture
def console(chromium: Browser, controller: FakeController, report: FakeReport) -> Iterator[Console]:
    """A console that was not complained about, neither by scripts nor by the content policy."""
    with serving(controller, report) as base:
        console = Console(base, controller, report, chromium)
        yield console
        for context in chromium.contexts:
            context.close()
    assert console.complaints == []
