"""A console over real HTTP, and a browser-like client."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest

from tests.support_console import FakeController, FakeReport
from tests.support_console_server import serving


class Browser:
    """Keeps cookies, follows redirects, and fills in forms as a browser without scripts does."""

    def __init__(self, base: str) -> None:
        self.client = httpx.Client(base_url=base, headers={"Origin": base})

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page."""
        return self.client.get(path, headers=headers)

    def hidden(self, path: str, form_id: str) -> dict[str, str]:
        """Give the hidden fields of a form on a page."""
        html = self.get(path).text
        form = re.search(rf'<form id="{form_id}".*?</form>', html, re.DOTALL)
        assert form, f"no form {form_id} on {path}"
        fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form[0])
        return {name: unescape(value) for name, value in fields}

    def send(self, page: str, form_id: str, action: str, **typed: str) -> httpx.Response:
        """Open a page, type into one of its forms, and send it; redirects are not followed."""
        fields = {**self.hidden(page, form_id), "author": "ada", "reason": "a test", **typed}
        return self.client.post(action, data=fields)


@pytest.fixture
def controller() -> FakeController:
    """A controller with routes in every phase."""
    return FakeController()


@pytest.fixture
def report() -> FakeReport:
    """A report with some groups of differences."""
    return FakeReport()


@pytest.fixture
def browser(controller: FakeController, report: FakeReport) -> Iterator[Browser]:
    """A browser that looks at a console over these two."""
    with serving(controller, report) as base:
        browser = Browser(base)
        with browser.client:
            yield browser
