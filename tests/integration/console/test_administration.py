"""Audit, accounts and settings over real HTTP."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest

from proxy.settings import serve_settings
from tests.support_admin import running_admin
from tests.support_console import FakeController, FakeReport
from tests.support_console_server import serving


def words(html: str) -> str:
    """Give what a page says."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_a_broken_chain_is_told_where_it_breaks_and_stays_told() -> None:
    """Asked for by a link; who looks later sees when it was verified, and what was found."""
    with running_admin() as admin, httpx.Client(base_url=admin.url) as http:
        assert "The chain was not verified yet" in http.get("/audit").text
        for page in (http.get("/audit/verify"), http.get("/audit")):
            told = words(page.text)
            assert "The chain is broken" in told
            assert "Entry 3: decision 3 was deleted" in told
            assert "5 entries with 5 decisions read" in told


def test_the_journal_is_looked_through_by_who_what_and_where() -> None:
    """Page by page, as far as it goes; nothing that does not match is shown."""
    controller = FakeController()
    for n in range(120):
        controller.take_back("plans", "Ada Lovelace" if n % 2 else "cutover", f"because {n}", {})
    with serving(controller, FakeReport()) as base, httpx.Client(base_url=base) as http:
        first = http.get("/audit?author=lovelace&action=rollback&route=plans").text
        older = re.search(r'href="([^"]+)">Older', first)
        assert older
        second = http.get(unescape(older[1])).text
        reasons = [int(n) for n in re.findall(r"<td>because (\d+)</td>", first + second)]
        assert reasons == list(range(119, 0, -2))
        assert "Older" not in second
        assert "No entry is like that" in http.get("/audit?author=nobody").text


def test_without_a_journal_a_verification_says_so() -> None:
    """Not: that all is well."""
    with serving(FakeController(), FakeReport()) as base:
        page = httpx.get(f"{base}/audit/verify")
        assert "there is no journal here" in page.text
        assert "not verified yet" in page.text


@pytest.mark.parametrize("way", ["/settings", "/api/v1/settings"])
def test_settings_are_shown_with_where_they_are_from_and_no_secret(way: str) -> None:
    """Options, variables, defaults; of passwords, keys and tokens nothing."""
    environ = {
        "CUTOVER_STORE": "postgresql+asyncpg://cutover:hunter2@db/x?password=hunter2",
        "CUTOVER_BUS": "redis://:hunter2@bus:6379/0",
        "CUTOVER_SHADOW_KEY": "hunter2" * 8,
        "CUTOVER_OTLP": "http://collector:4318",
        "CUTOVER_OTLP_HEADERS": "authorization=hunter2",
        "CUTOVER_KEEP_DAYS": "7",
    }
    settings = serve_settings({"workers": "3"}, environ)
    with (
        serving(FakeController(), FakeReport(), origins=settings.origins) as base,
        httpx.Client(base_url=base) as http,
    ):
        text = http.get(way).text
        assert "hunter2" not in text
        told = {e["name"]: e for e in http.get("/api/v1/settings").json()["settings"]}
    assert told["workers"]["source"] == "--workers"
    assert (told["keep_days"]["value"], told["keep_days"]["source"]) == ("7", "CUTOVER_KEEP_DAYS")
    assert told["drain_seconds"]["source"] == "default"
    assert told["store"]["value"] == "postgresql+asyncpg://cutover:***@db/x?password=***"
    assert told["bus"]["value"] == "redis://:***@bus:6379/0"
    assert (told["CUTOVER_SHADOW_KEY"]["value"], told["CUTOVER_ADMIN_TOKEN"]["value"]) == (
        "***",
        "",
    )


def test_without_accounts_the_page_says_how_to_have_them() -> None:
    """An empty list would say that nobody may ask, when everybody may."""
    with serving(FakeController(), FakeReport()) as base, httpx.Client(base_url=base) as http:
        assert "Whoever reaches this address may do everything" in http.get("/accounts").text
        assert http.get("/api/v1/accounts").status_code == 409
