from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING

import pytest

from proxy.control.status import HostsStatus, HostStatus
from shadow_compare.report import Filters, SignatureDetail
from shadow_compare.sample import KeptDifference
from tests.support_console import FakeController, FakeReport, sample, summary

if TYPE_CHECKING:
    from tests.integration.console.conftest import Browser

PAGES = [
    "/",
    "/routes/plans",
    "/routes/billing.history",
    "/differences",
    "/differences?route=plans&critical=1",
    "/differences/9f1c2ab4d0e17735",
    "/differences/9f1c2ab4d0e17735?whole=1",
    "/differences/47aa10f3c2b9d811",
    "/differences?search=price&kind=value_changed&since_version=3&state=all",
    "/differences?search=nothing",
    f"/differences/proposals/{FakeReport().proposed[0].id}",
    "/decisions",
    "/decisions?route=plans",
    "/decisions/1",
    "/rules",
    "/rules/18",
    "/rules/edit",
    "/audit",
    "/replays",
    "/audit?author=a&action=rollback&route=plans",
    "/accounts",
    "/settings",
    "/reports/subscriptions.list",
    "/rules/compare?before=18&after=18",
    "/recording",
    "/kill-switch",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_and_obeys_the_strict_policy(browser: Browser, path: str) -> None:
    """A page has its landmarks, one heading, and nothing that the content policy would stop."""
    answer = browser.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert "unsafe" not in answer.headers["content-security-policy"]
    html = answer.text
    for landmark in ("<header class=", "<nav aria-label=", '<main id="main"', '<html lang="en">'):
        assert landmark in html
    assert html.count("<h1") == 1
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html)
    assert all(" src=" in tag for tag in re.findall(r"<script[^>]*>", html))


@pytest.mark.parametrize("path", PAGES)
def test_every_id_is_unique_and_every_label_has_its_field(browser: Browser, path: str) -> None:
    """Focus is kept by id and labels point by id, so both must be sound."""
    html = browser.get(path).text
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'<label for="([^"]+)"', html)) <= set(ids)
    assert set(re.findall(r'aria-labelledby="([^"]+)"', html)) <= set(ids)


@pytest.mark.parametrize("path", PAGES)
def test_a_refresh_is_the_live_part_alone(browser: Browser, path: str) -> None:
    """What htmx asks for again is the live part, with the same address to ask for next time."""
    answer = browser.get(path, **{"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.text.strip().startswith('<div id="live"')
    assert "<html" not in answer.text
    assert f'hx-get="{path.replace("&", "&amp;")}"' in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_the_overview_tells_each_number_with_its_sample(browser: Browser) -> None:
    """Rates come with units, and error rates with the counts behind them."""
    html = browser.get("/").text
    assert "3 of 580 requests in 60 s" in html
    assert "48.7%" in html
    assert "of 1,191, 2 not compared" in html
    assert (
        html.index("billing.history") < html.index("subscriptions.list") < html.index("users.read")
    )


def test_the_route_page_says_what_the_gate_waits_for(browser: Browser) -> None:
    """Verdict, both sides and the latest differences are on one page."""
    html = browser.get("/routes/plans").text
    assert "The gate of this step is passed" in html
    assert "1,080 in 60 s" in html
    assert "$.data[*].price" in html


def test_proposals_stand_with_their_reasons(browser: Browser) -> None:
    """Each by the name that it is adopted by, of the chosen route only."""
    text = browser.get("/differences").text
    for proposal in FakeReport().proposed:
        assert f"/differences/proposals/{proposal.id}" in text
        assert proposal.why in text
    assert "Proposed rules" not in browser.get("/differences?route=subscriptions.list").text


def test_differences_are_filtered_by_route_and_by_weight(browser: Browser) -> None:
    """The filters are in the address, so they can be pasted into a chat."""
    assert "c0ffee00c0ffee00" in browser.get("/differences").text
    assert "c0ffee00c0ffee00" not in browser.get("/differences?route=plans").text
    assert "47aa10f3c2b9d811" not in browser.get("/differences?critical=1").text


def test_differences_are_searched(browser: Browser, report: FakeReport) -> None:
    """By words, kind, state and version; the fields keep what was asked, and so does the file."""
    query = "search=HISTORY_url&kind=missing&since_version=9&state=all"
    html = browser.get(f"/differences?{query}").text
    assert "47aa10f3c2b9d811" in html
    assert "9f1c2ab4d0e17735" not in html
    assert report.asked_for[-1] == Filters(kind="missing", since_version=9, search="HISTORY_url")
    assert 'value="HISTORY_url"' in html
    assert '<option value="missing" selected>' in html
    file = re.search(r'id="export-csv" href="([^"]+)"', html)
    assert file
    table = browser.get(unescape(file[1])).text
    assert "47aa10f3c2b9d811" in table
    assert "9f1c2ab4d0e17735" not in table
    nothing = browser.get("/differences?search=nowhere").text
    assert "No group passes these filters." in nothing


def test_coverage_comes_first_with_noise_and_races_apart(
    browser: Browser, report: FakeReport
) -> None:
    """What was compared stands above the groups, and what was excused is told by reason."""
    report.covered[0].ignored_by_reason = {"rules": 30, "noise": 6, "race": 2}
    html = browser.get("/differences").text
    told = (
        "2,249 equal, 120 equal under the rules, 6 excused as noise, 2 equal when asked again, 14"
    )
    assert told in " ".join(re.sub(r"<[^>]+>", "", html).split())
    assert html.index("6 excused as noise") < html.index("47aa10f3c2b9d811")
    assert "<small>6 noise</small><small>2 race</small>" in html


def test_a_difference_shows_both_answers_and_the_request(browser: Browser) -> None:
    """The differing lines are marked on both sides; the request can be copied as a command."""
    html = browser.get("/differences/9f1c2ab4d0e17735").text
    assert "curl --path-as-is -X GET http://127.0.0.1:8080/api/plans" in html
    assert re.search(
        r'<div class="pairing different">.*&#34;price&#34;: <mark>&#34;29.00&#34;</mark>,', html
    )
    assert re.search(r'<div class="pairing spelling">.*&#34;price&#34;: &#34;9.90&#34;', html)
    assert html.count('<details class="fold"><summary>') == 3
    whole = browser.get("/differences/9f1c2ab4d0e17735?whole=1").text
    assert whole.count('<details class="fold" open><summary>') == 3


def test_samples_are_switched_by_address(browser: Browser) -> None:
    """One at a time, each with an address of its own; one that is not there is the last."""
    page = "/differences/9f1c2ab4d0e17735"
    assert "got legacy's answer" in unescape(browser.get(page).text)
    for address in (f"{page}?sample=2", f"{page}?sample=99"):
        html = browser.get(address).text
        assert "Sample 2 of 2" in html
        assert "got modern's answer" in unescape(html)
    assert f'href="{page}?sample=2#sample"' in browser.get(page).text


def test_what_accepting_covers_stands_in_the_form(
    browser: Browser, controller: FakeController, report: FakeReport
) -> None:
    """Places are chosen, and the page and its piece say what a rule for them rules out."""
    found = summary(paths=("$.a", "$.b[*].c"), critical=False)
    kept = tuple(
        sample(differences=tuple(KeptDifference(path, "missing", "1", None) for path in paths))
        for paths in (("$.a", "$.b[0].c"), ("$.a",))
    )
    other = summary("0ther", paths=("$.a",))
    report.details = [SignatureDetail(found, kept), SignatureDetail(other, ())]
    page = "/differences/9f1c2ab4d0e17735"
    whole = told(browser.get(page).text)
    assert "would rule out 2 of 2 kept samples and 1 other group of the route" in whole
    piece = told(browser.get(f"{page}/acceptance?path=$.a").text)
    assert "would rule out 1 of 2 kept samples and 1 other group" in piece
    assert "1 sample would still differ, at $.b[0].c" in piece
    assert "cannot be told" in browser.get(f"{page}/acceptance?path=$.nowhere").text
    browser.send(page, "accept-form", f"{page}/accept", until="2999-12-31", path="$.a")
    assert [rule.path for rule in controller.ignored["plans"]] == ["$.a"]


def told(html: str) -> str:
    """Give the words of a page."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


async def test_a_rollback_is_explained_with_its_evidence(
    browser: Browser, controller: FakeController
) -> None:
    """The page of a decision has value, bound, sample, window, weight and the requests."""
    event = {
        "at": 1_790_000_000.0,
        "kind": "status",
        "status": 500,
        "latency": 0.0031,
        "method": "GET",
        "path": "/api/plans",
        "request_id": "01JDC8Z4T2V7",
    }
    evidence = {
        "detector": "error_rate",
        "value": 0.125,
        "bound": 0.05,
        "n": 96,
        "window": 60.0,
        "weight": 1000,
        "samples": [event],
    }
    controller.take_back("plans", "cutover", "error rate", evidence)
    html = browser.get("/decisions/2").text
    assert "Cutover rolled plans back to legacy, because the error rate of modern was 12.5%" in html
    for text in ("12.5%", "96 requests", "60 s", "10%", "01JDC8Z4T2V7", "3.1 ms", "Resume plans"):
        assert text in html


EVIDENCE: dict[str, dict[str, object]] = {
    "t1": {"value": 3.2e9, "bound": 1e9, "n": 8, "hits": 7, "tolerated": 0.005},
    "t2": {"value": 3.2e9, "bound": 1e9, "n": 15, "hits": 14, "share": 0.104},
    "t5": {"value": 3.2e9, "bound": 1e9, "n": 70, "hits": 21, "tolerated": 0.06, "limit": 0.2},
    "critical": {"value": 3, "bound": 3, "n": 4, "place": "$.data[*].price"},
}


@pytest.mark.parametrize(
    ("detector", "texts"),
    [
        ("t1", ["7 of 8 requests to modern failed", "7 of them against modern", "0.5%"]),
        ("t2", ["14 of 15 failures were modern", "10.4%", "Modern's share"]),
        ("t5", ["took longer than 200 ms", "Slow from", "200 ms", "6%"]),
        ("critical", ["3 customers got another answer", "<code>$.data[*].price</code>"]),
    ],
)
def test_what_a_detector_has_proved_is_told(
    browser: Browser, controller: FakeController, detector: str, texts: list[str]
) -> None:
    """In one sentence, and with every number that the sentence rests on."""
    pair = {
        "at": 1.0, "method": "GET", "path": "/api/plans", "kind": "critical", "status": 200,
        "legacy_status": 200, "place": "$.data[*].price", "request_id": "01JDC8Z4T2V7",
    }  # fmt: skip
    evidence: dict[str, object] = {"detector": detector, "window": 60.0, "samples": [pair]}
    controller.take_back("plans", "cutover", "proof", evidence | EVIDENCE[detector])
    html = unescape(browser.get("/decisions/2").text)
    for text in (*texts, "200, legacy 200", "01JDC8Z4T2V7"):
        assert text in html


def test_a_version_shows_what_it_changed(browser: Browser, controller: FakeController) -> None:
    """The change of a weight is a difference of two documents."""
    browser.send("/routes/plans", "weight-form", "/routes/plans/weight", weight="25")
    html = browser.get(f"/rules/{controller.number}").text
    assert re.search(r"taken out: </span># weights now: plans: <mark>1000</mark>", html)
    assert re.search(r"put in: </span># weights now: plans: <mark>2500</mark>", html)


@pytest.mark.parametrize("list_page", ["/decisions", "/rules"])
def test_long_lists_have_pages(
    browser: Browser, controller: FakeController, list_page: str
) -> None:
    """Fifty rows to a page, and a link to the older ones until the end."""
    for index in range(60):
        controller.take_back("plans", "ada", f"change {index}", {})
    first = browser.get(list_page).text
    older = re.search(r'href="([^"]+before=[^"]+)">Older', first)
    assert older
    second = browser.get(older[1].replace("&amp;", "&")).text
    assert "change 59" in first
    assert "change 5<" not in first
    assert "change 5<" in second
    assert not re.search(r'href="[^"]+before=', second)


@pytest.mark.parametrize(
    "path",
    [
        "/routes/nope",
        "/differences/nope",
        "/decisions/999",
        "/rules/999",
        "/decisions/" + "9" * 40,
        "/routes/plans/weight",
    ],
)
def test_what_does_not_exist_is_told_with_a_way_on(browser: Browser, path: str) -> None:
    """Not found is a page with links, not a dead end."""
    answer = browser.get(path)
    assert answer.status_code == 404
    assert "Go to the overview" in answer.text


@pytest.mark.parametrize("query", ["before=x", "before=-1", "before=" + "9" * 40, "offset=x"])
def test_nonsense_in_an_address_counts_as_not_given(browser: Browser, query: str) -> None:
    """A mangled link shows the first page."""
    for path in ("/decisions", "/rules", "/differences"):
        assert browser.get(f"{path}?{query}").status_code == 200


def test_empty_states_teach(
    browser: Browser, controller: FakeController, report: FakeReport
) -> None:
    """With nothing to show, each page says what to do first."""
    controller.routes, controller.journal, controller.workers = {}, [], []
    report.details, report.covered = [], []
    overview = browser.get("/").text
    assert "The rules name no routes" in overview
    assert "No worker has reported yet" in overview
    assert "Nothing was decided yet" in overview
    assert "mirror: {share: 100%}" in browser.get("/differences").text


def test_pages_come_up_when_no_record_can_be_read(
    browser: Browser, controller: FakeController, report: FakeReport
) -> None:
    """With the store gone the live numbers are still there, and the rest says what it lacks."""
    controller.records_broken = report.broken = True
    controller.store_problem = "disk full"
    overview = browser.get("/")
    assert overview.status_code == 200
    assert "The store cannot be used" in overview.text
    assert "18.0/s" in overview.text
    assert "cannot be read right now" in browser.get("/routes/plans").text
    assert "cannot be read right now" in browser.get("/rules").text
    assert browser.get("/differences/9f1c2ab4d0e17735").status_code == 503
    assert browser.get("/decisions/1").status_code == 503


def test_a_refused_rules_file_is_told_on_every_page(
    browser: Browser, controller: FakeController
) -> None:
    """The problem is shown with line and column, and which version stays in force."""
    controller.rules_problem = "routing_rules.yaml:9:13: weight must be between 0% and 100%"
    for path in ("/", "/routes/plans", "/differences"):
        html = browser.get(path).text
        assert "routing_rules.yaml:9:13" in html
        assert f"Version {controller.number} stays in force" in html


def test_many_hosts_are_shown_with_the_one_that_acts(
    browser: Browser, controller: FakeController
) -> None:
    """Each with its version, when it was heard of, and whether it has Redis; workers by host."""
    assert ">Host<" not in browser.get("/hosts").text
    hosts = (
        HostStatus("web1", "http://web1:8090", True, 0.2, True, 18),
        HostStatus("web2", "http://web2:8090", False, 75.0, False, 17),
    )
    controller.hosts = HostsStatus("web1", "web1", 3, hosts)
    controller.workers = [replace(each, host="web1") for each in controller.workers]
    html = browser.get("/hosts").text
    assert "web1 acts, by the lease with token 3" in html
    assert "web1: worker 0" in html
    assert "web2 is not heard of" in html
    controller.hosts = replace(controller.hosts, own="web2")
    for page in ("/", "/rules", "/routes/plans"):
        assert "web2 stands by; web1 acts" in browser.get(page).text


def test_static_files_are_served_and_nothing_else(browser: Browser) -> None:
    """The style sheet has its type; files beside the static ones cannot be reached."""
    assert browser.get("/static/console.css").headers["content-type"].startswith("text/css")
    for path in ("/static/../views.py", "/static/%2e%2e/views.py", "/static/..%2fviews.py"):
        assert browser.get(path).status_code == 404
