from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import httpx
import pytest

NewUser = Callable[..., dict[str, object]]

MARKUP = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title><script>alert(1)</script>",
    "' onmouseover='alert(1)",
    "&lt;b&gt;",
]


class Page(HTMLParser):
    """The tags and the visible texts of a page, without those of its own script and style."""

    def __init__(self, html: str) -> None:
        """Read a whole page."""
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self._mute = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag, and every attribute that could run something."""
        self._mute = tag in {"script", "style"}
        self.tags += [tag, *(name for name, _ in attrs if name.startswith("on"))]

    def handle_data(self, data: str) -> None:
        """Note a text."""
        if data.strip() and not self._mute:
            self.texts.append(data.strip())


def account(client: httpx.Client, email: object, password: str) -> httpx.Response:
    """Log in and open the account page."""
    client.post("/api/login", data={"email": str(email), "password": password})
    return client.get("/account")


def test_login_page(client: httpx.Client) -> None:
    """The page holds a form for the login of the API, and opens no session."""
    answer = client.get("/login")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "set-cookie" not in answer.headers
    assert '<form id="login" method="post" action="/api/login">' in answer.text
    assert 'name="email"' in answer.text
    assert 'name="password"' in answer.text


def test_account_page(client: httpx.Client) -> None:
    """The page of a customer shows name, subscriptions and the latest ten charges."""
    answer = account(client, "demo@example.com", "cutover-demo")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    texts = Page(answer.text).texts
    assert texts[:2] == ["Renée Müller - Billing", "Renée Müller"]
    assert {"216", "Team", "29.00 EUR", "532", "Basic", "9.90 EUR"} <= set(texts)
    assert answer.text.count("<tr>") == 2 + 2 + 10


def test_account_page_without_a_session(client: httpx.Client) -> None:
    """Nobody in particular is sent to the login."""
    answer = client.get("/account")
    assert (answer.status_code, answer.headers["location"]) == (302, "/login")


def test_zero_dates_are_not_shown(client: httpx.Client) -> None:
    """A date that was never set is not a date on the page."""
    answer = account(client, "rohan.patel.22@example.org", "cutover-demo")
    assert answer.status_code == 302  # inactive, so the zero birthday stays unseen
    answer = account(client, "joerg.weiss.37@example.com", "cutover-demo")
    assert answer.status_code == 200
    assert "0000-00-00" not in answer.text
    assert "born unknown" in answer.text


@pytest.mark.parametrize("name", MARKUP)
def test_what_a_customer_wrote_is_not_markup(
    client: httpx.Client, new_user: NewUser, name: str
) -> None:
    """A name with markup shows as it was written and adds no tag and no handler."""
    plain = Page(account(client, new_user(name="Plain")["email"], "long enough").text)
    page = Page(account(client, new_user(name=name)["email"], "long enough").text)
    assert page.tags == plain.tags
    assert page.texts[:2] == [f"{name} - Billing", name]
