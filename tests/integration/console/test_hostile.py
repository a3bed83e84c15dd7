from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from proxy.control.status import HostsStatus, HostStatus
from shadow_compare.report import Coverage, Proposal, SignatureDetail
from shadow_compare.sample import KeptAnswer, KeptDifference
from tests.support_console import (
    DOCUMENT,
    FakeController,
    FakeReport,
    route,
    sample,
    summary,
)
from tests.support_series import past_hours

if TYPE_CHECKING:
    from tests.integration.console.conftest import Browser

PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus=alert(1) x='",
    "javascript:alert(1)",
    "{{ 7*7 }}{% raw %}",
    "</pre></td><svg onload=alert(1)>",
    "&lt;b&gt;&#60;",
]
HOSTILE = " ".join(PAYLOADS)
HOSTILE_DOCUMENT = f"{DOCUMENT}# {HOSTILE}\n# </textarea></pre><script>alert(1)</script>\n"
ROUTE = 'r"><script>alert(1)</script>/../x?y#z'


@pytest.fixture
def controller() -> FakeController:
    """A controller in which every text is hostile."""
    found = FakeController([route(ROUTE, path=HOSTILE, methods=(HOSTILE,), verdict_reason=HOSTILE)])
    evidence = {
        "detector": HOSTILE,
        "value": HOSTILE,
        "bound": [HOSTILE],
        "n": HOSTILE,
        "window": HOSTILE,
        "weight": HOSTILE,
        HOSTILE: HOSTILE,
        "samples": [
            {"at": HOSTILE, "method": HOSTILE, "path": HOSTILE, "kind": HOSTILE},
            HOSTILE,
            {"latency": HOSTILE, "status": HOSTILE, "request_id": HOSTILE},
        ],
    }
    found.take_back(ROUTE, HOSTILE, HOSTILE, evidence)
    found._record("import", None, HOSTILE, HOSTILE, {}, HOSTILE_DOCUMENT)
    found.rules_problem = found.store_problem = HOSTILE
    found.minutes = past_hours(ROUTE, found.clock(), 1000)
    found.workers = [replace(each, host=HOSTILE, role=HOSTILE) for each in found.workers]
    host = HostStatus(HOSTILE, HOSTILE, True, 0.1, True, 18, HOSTILE)
    found.hosts = HostsStatus(HOSTILE, HOSTILE, 3, (host,))
    return found


@pytest.fixture
def report() -> FakeReport:
    """A report in which every text is hostile."""
    found = FakeReport()
    answer = KeptAnswer(200, ((HOSTILE, HOSTILE),), f"{HOSTILE}\n{HOSTILE}", False, 0.1)
    other = KeptAnswer(500, ((HOSTILE, "x"),), f'{{"{quote(HOSTILE)}": "</script>"}}', True, 0.1)
    kept = sample(
        request_id=HOSTILE,
        primary_side="modern",
        curl=HOSTILE,
        primary=answer,
        candidate=other,
        differences=(KeptDifference(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
    )
    text = {
        "route": ROUTE,
        "kinds": (HOSTILE,),
        "paths": (HOSTILE,),
        "example_old": HOSTILE,
        "example_new": HOSTILE,
    }
    found.details = [SignatureDetail(summary("abc", **text), (kept,))]
    found.proposed = [PROPOSED]
    found.covered = [Coverage(1, 1, 1, {HOSTILE: 1}, {HOSTILE: 1}, ROUTE, {HOSTILE: 1})]
    return found


PROPOSED = Proposal(ROUTE, "ignore", HOSTILE, {"path": HOSTILE}, HOSTILE, {HOSTILE: HOSTILE})
ADDRESS = f"/routes/{quote(ROUTE, safe='')}"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        ADDRESS,
        "/differences",
        f"/differences?route={quote(ROUTE)}",
        f"/differences?state=all&search={quote(HOSTILE[:200])}",
        f"/differences/proposals/{PROPOSED.id}",
        "/differences/abc",
        f"/differences/{quote(HOSTILE)}",
        "/decisions",
        f"/decisions?route={quote(HOSTILE)}",
        "/decisions/2",
        "/rules",
        "/rules/19",
        "/rules/edit",
        "/audit",
        f"/audit?author={quote(HOSTILE[:90])}&action=rollback",
        f"/reports/{quote(ROUTE, safe='')}",
        "/rules/compare?before=18&after=19",
        f"/rules/compare?before={quote(HOSTILE)}&after=19",
        "/differences/abc?sample=1&whole=1",
        "/differences/abc/acceptance",
        "/kill-switch",
        "/hosts",
        f"/?q={quote(HOSTILE[:90])}&show=act",
        f"{ADDRESS}?weight={quote(HOSTILE)}&range={quote(HOSTILE)}&figure={quote(HOSTILE)}",
        f"{ADDRESS}?range=6h&figure=p95",
        f"/history?route={quote(ROUTE, safe='')}",
        f"/pins?route={quote(HOSTILE)}",
        f"/explain?target={quote(HOSTILE)}",
        f"/jump?q={quote(HOSTILE[:90])}",
        "/jump?q=script&list=1",
        f"/jump?q={quote(HOSTILE[:90])}&list=1",
        f"/decisions?kind={quote(HOSTILE)}",
        f"/routes/{quote(HOSTILE)}",
    ],
)
def test_hostile_text_is_shown_and_does_nothing(browser: Browser, path: str) -> None:
    """Whatever traffic or operators wrote appears as text: no element, attribute or link of it."""
    answer = browser.get(path)
    is_missing = (
        quote(HOSTILE) in path
        and not re.match(r"/(differences|decisions|pins|explain|audit)\?", path)
        and not path.startswith(f"{ADDRESS}?")
    )
    assert answer.status_code == (404 if is_missing else 200)
    html = answer.text
    for payload in ("<script>alert", "<img src=x", "<svg onload", "49{%"):
        assert payload not in html
    tags = re.findall(r"<[a-zA-Z][^<>]*>", re.sub(r'"[^"<>]*"', '""', html))
    assert not [tag for tag in tags if re.search(r"\son\w+\s*=|autofocus", tag)]
    assert 'href="javascript:' not in html


def test_a_hostile_document_comes_back_as_text(browser: Browser) -> None:
    """What is pasted into the editor ends neither its field nor its page."""
    for path in ("/rules/edit/check", "/rules/edit/review"):
        html = browser.client.post(path, data={"text": HOSTILE_DOCUMENT}).text
        assert "<script>alert" not in html
        assert html.count("</textarea>") == (1 if path.endswith("review") else 0)


def test_hostile_pins_and_requests_are_shown_and_do_nothing(
    browser: Browser, controller: FakeController
) -> None:
    """What was typed into the forms about pins and requests comes back as text."""
    typed = {"identity": f"cookie:a={HOSTILE}", "side": HOSTILE, "routes": HOSTILE}
    answer = browser.send("/pins", "pin-form", "/pins/add", **typed)
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
    asked = {"method": "GET", "target": f"/{HOSTILE}", "headers": f"X: {HOSTILE}\n{HOSTILE}"}
    answer = browser.send("/explain", "explain-form", "/explain", **asked)
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    controller.routes["plans"] = route("plans")
    asked = {"target": "/api/plans", "headers": f"Cookie: PHPSESSID={PAYLOADS[0]}"}
    answer = browser.send("/explain", "explain-form", "/explain", **asked)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


@pytest.mark.parametrize("path", ["/pins", "/routes/plans"])
def test_cohorts_are_shown_and_do_nothing(
    browser: Browser, controller: FakeController, path: str
) -> None:
    """Where pins are: who belongs to one, on which side, and why."""
    controller.routes["plans"] = route("plans")
    cohort = {
        "id": "staff", "side": "modern", "source": "header:X-Group", "values": [HOSTILE],
        "reason": f"first {HOSTILE}",
    }  # fmt: skip
    text = f"{DOCUMENT}cohorts: [{json.dumps(cohort)}]\n"
    controller.history[-1] = replace(controller.history[-1], text=text)
    html = browser.client.get(path).text
    assert "header:x-group" in html
    assert "first &lt;" in html or "first &#" in html
    assert "<script>alert" not in html


def test_hostile_text_in_a_form_comes_back_as_text(
    browser: Browser, controller: FakeController
) -> None:
    """What was typed into a refused form is escaped in the form that is shown again."""
    controller.routes["plans"] = route("plans")
    answer = browser.send(
        "/routes/plans", "weight-form", "/routes/plans/weight", weight=HOSTILE, reason=HOSTILE
    )
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


def test_hostile_words_on_record_come_back_as_text(
    browser: Browser, controller: FakeController
) -> None:
    """A flash message, a reason and a name made of markup stay words."""
    controller.routes["plans"] = route("plans")
    browser.send(
        "/routes/plans",
        "weight-form",
        "/routes/plans/weight",
        weight="1",
        reason=PAYLOADS[0],
        author=PAYLOADS[1],
    )
    page = browser.get("/routes/plans").text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_hostile_route_can_still_be_steered(browser: Browser, controller: FakeController) -> None:
    """An id full of markup and separators works in every address and redirects nowhere else."""
    answer = browser.send(ADDRESS, "resume-form", f"{ADDRESS}/resume", weight="5", force="1")
    assert answer.status_code == 303
    assert answer.headers["location"] == ADDRESS
    assert controller.routes[ROUTE].rolled_back is None
