from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest

from tests.support_console import FakeController, FakeReport

if TYPE_CHECKING:
    from tests.integration.console.conftest import Browser

WEIGHT = ("/routes/plans", "weight-form", "/routes/plans/weight")


def test_a_weight_is_changed_and_told_once(browser: Browser, controller: FakeController) -> None:
    """The form redirects to the route, which says what was done, and not again on reload."""
    answer = browser.send(*WEIGHT, weight="12.5", reason="gate passed")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/routes/plans"
    assert controller.routes["plans"].weight_configured == 1250
    refresh = browser.get("/routes/plans", **{"HX-Request": "true"})
    assert "plans is at 12.5%" not in refresh.text
    assert "plans is at 12.5% with version 19." in browser.get("/routes/plans").text
    assert "plans is at 12.5%" not in browser.get("/routes/plans").text
    assert controller.journal[-1].reason == "gate passed"


def test_the_name_is_remembered(browser: Browser, controller: FakeController) -> None:
    """Who changed something once need not type the name again."""
    browser.send(*WEIGHT, weight="20", author="Zoë Müller")
    assert controller.journal[-1].author == "Zoë Müller"
    assert 'value="Zoë Müller"' in browser.get("/kill-switch").text


def test_cookies_cannot_be_read_by_scripts_or_sent_from_elsewhere(browser: Browser) -> None:
    """All three cookies are HttpOnly and SameSite=Strict."""
    cookies = browser.get("/").headers.get_list("set-cookie")
    cookies += browser.send(*WEIGHT, weight="20").headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {
        "cutover_form",
        "cutover_flash",
        "cutover_author",
    }
    for cookie in cookies:
        assert "httponly" in cookie.lower()
        assert "samesite=strict" in cookie.lower()


@pytest.mark.parametrize("token", ["", "forged", None])
def test_a_form_from_elsewhere_changes_nothing(
    browser: Browser, controller: FakeController, token: str | None
) -> None:
    """Without the token that belongs to the cookie the form is refused, its text kept."""
    typed = {"weight": "90", "reason": "forged", "author": "mallory"}
    if token is not None:
        typed["token"] = token
    browser.get("/")
    answer = browser.client.post("/routes/plans/weight", data=typed)
    assert answer.status_code == 403
    assert "nothing was changed" in answer.text
    assert 'value="forged"' in answer.text
    assert controller.routes["plans"].weight_configured == 1000


def test_a_token_of_another_browser_is_refused(
    browser: Browser, controller: FakeController
) -> None:
    """A token is worth nothing with another cookie."""
    fields = browser.hidden("/routes/plans", "weight-form")
    browser.client.cookies.clear()
    browser.client.cookies.set("cutover_form", "chosen-by-somebody-else")
    data = {**fields, "weight": "90", "reason": "x", "author": "mallory"}
    assert browser.client.post("/routes/plans/weight", data=data).status_code == 403
    assert controller.routes["plans"].weight_configured == 1000


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_another_origin_is_refused_before_the_form_is_read(
    browser: Browser, controller: FakeController, origin: str
) -> None:
    """Even a complete form is refused when another site sends it."""
    fields = {**browser.hidden("/routes/plans", "weight-form"), "weight": "90"}
    fields |= {"reason": "x", "author": "mallory"}
    answer = browser.client.post("/routes/plans/weight", data=fields, headers={"Origin": origin})
    assert answer.status_code == 403
    assert controller.routes["plans"].weight_configured == 1000


def test_two_operators_collide_and_the_second_is_told(
    browser: Browser, controller: FakeController
) -> None:
    """The later form is refused with who came first; its text stays, the version is renewed."""
    fields = browser.hidden("/routes/plans", "weight-form")
    controller.take_back("users.read", "grace", "disk is slow", {})
    data = {**fields, "weight": "50", "reason": "second step", "author": "ada"}
    answer = browser.client.post("/routes/plans/weight", data=data)
    assert answer.status_code == 409
    assert "nothing was changed" in answer.text
    assert "by grace: disk is slow" in answer.text
    assert 'value="second step"' in answer.text
    assert 'name="weight" type="number" min="0" max="100" step="0.01" required value="50"' in (
        answer.text
    )
    assert f'name="expected_version" value="{controller.number}"' in answer.text
    assert controller.routes["plans"].weight_configured == 1000


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"weight": "101"}, "percentage from 0 to 100"),
        ({"weight": ""}, "percentage from 0 to 100"),
        ({"reason": ""}, "The reason is empty"),
        ({"reason": "a\nb"}, "invisible characters"),
        ({"author": ""}, "Your name is empty"),
        ({"reason": "x" * 501}, "501 characters"),
    ],
)
def test_a_wrong_field_is_told_and_what_was_typed_is_kept(
    browser: Browser, controller: FakeController, typed: dict[str, str], told: str
) -> None:
    """Nothing is lost and nothing changed when a field cannot be used."""
    answer = browser.send(*WEIGHT, **{"weight": "33", "reason": "kept text", **typed})
    assert answer.status_code == 422
    assert told in answer.text
    assert controller.routes["plans"].weight_configured == 1000
    if "reason" not in typed:
        assert 'value="kept text"' in answer.text


def test_a_body_that_is_no_form_is_refused(browser: Browser, controller: FakeController) -> None:
    """JSON and huge bodies change nothing and break nothing."""
    assert browser.client.post("/routes/plans/weight", json={"weight": 90}).status_code == 422
    large = browser.client.post("/routes/plans/weight", data={"reason": "x" * 100_000})
    assert large.status_code in (413, 422)
    assert controller.routes["plans"].weight_configured == 1000


def test_a_route_is_rolled_back_and_resumed_after_its_cool_down(
    browser: Browser, controller: FakeController
) -> None:
    """A rollback by hand holds until a person resumes; before the cool-down only by force."""
    back = browser.send("/routes/plans", "rollback-form", "/routes/plans/rollback")
    assert back.status_code == 303
    assert controller.routes["plans"].weight_in_force == 0
    resume = ("/routes/plans", "resume-form", "/routes/plans/resume")
    refused = browser.send(*resume, weight="5")
    assert refused.status_code == 422
    assert "still cools down" in refused.text
    assert browser.send(*resume, weight="5", force="1").status_code == 303
    assert controller.routes["plans"].weight_in_force == 500


def test_a_plan_is_steered_by_its_buttons(browser: Browser, controller: FakeController) -> None:
    """Held, let go on, approved, and taken a step further, before its time only with the box."""
    page = "/routes/subscriptions.list"
    form = (page, "plan-form", f"{page}/plan")
    shown = browser.get(page).text
    assert "875 more requests on modern, about 7 min" in shown
    assert 'aria-current="step">50%' in shown
    assert browser.send(*form, verb="hold", reason="lunch").status_code == 303
    shown = browser.get(page).text
    assert "The plan of subscriptions.list is on hold" in shown
    assert "lunch" in shown
    assert browser.send(*form, verb="release").status_code == 303
    assert browser.send(*form, verb="approve").status_code == 303
    assert 'value="approve"' not in browser.get(page).text
    refused = browser.send(*form, verb="advance")
    assert (refused.status_code, "still needs" in refused.text) == (422, True)
    assert browser.send(*form, verb="advance", force="1").status_code == 303
    assert controller.routes["subscriptions.list"].weight_configured == 9000
    assert browser.send(*form, verb="nothing").status_code == 422
    assert "plan-form" not in browser.get("/routes/everything-else").text


def test_writes_that_were_halted_are_resumed(browser: Browser, controller: FakeController) -> None:
    """The page says why they are, for as long as they are."""
    page = "/routes/subscriptions.create"
    assert "resume-writes-form" not in browser.client.get(page).text
    controller.halt_writes("subscriptions.create")
    shown = browser.client.get(page).text
    assert "no cutover-shadow-ack" in shown
    assert browser.send(page, "resume-writes-form", f"{page}/resume-writes").status_code == 303
    assert controller.routes["subscriptions.create"].writes_halted is None
    assert "resume-writes-form" not in browser.client.get(page).text


def test_a_rollback_is_never_held_up_by_a_conflict(
    browser: Browser, controller: FakeController
) -> None:
    """Going back is the safe direction: it works from a page that is out of date."""
    fields = browser.hidden("/routes/plans", "rollback-form")
    controller.take_back("users.read", "grace", "disk is slow", {})
    data = {**fields, "reason": "errors", "author": "ada"}
    assert browser.client.post("/routes/plans/rollback", data=data).status_code == 303
    assert controller.routes["plans"].rolled_back is not None


def test_the_kill_switch_is_two_steps_away(browser: Browser, controller: FakeController) -> None:
    """Each page links to the switch, which says what it will do, and tells how to turn it off."""
    assert 'href="/kill-switch"' in browser.get("/routes/plans").text
    page = browser.get("/kill-switch").text
    assert "It takes modern out of 3 routes" in page
    assert browser.send("/kill-switch", "kill-form", "/kill-switch").status_code == 303
    assert controller.kill
    assert "Kill switch is on" in browser.get("/differences").text
    assert "Let the rules decide again" in browser.get("/kill-switch").text
    browser.send("/kill-switch", "kill-form", "/kill-switch")
    assert not controller.kill


def test_a_change_of_a_route_that_is_gone_is_not_found(
    browser: Browser, controller: FakeController
) -> None:
    """A form for a route that left the rules ends on a page that says so."""
    fields = browser.hidden("/routes/plans", "weight-form")
    del controller.routes["plans"]
    data = {**fields, "weight": "50", "reason": "late", "author": "ada"}
    answer = browser.client.post("/routes/plans/weight", data=data)
    assert answer.status_code == 404
    assert "There is no route" in answer.text


GROUP = "/differences/9f1c2ab4d0e17735"


def test_a_difference_is_accepted_and_leaves_the_list(
    browser: Browser, controller: FakeController
) -> None:
    """An ignore rule with reason, owner and end is made of it, and its page says who did so."""
    typed = {"until": "2099-03-01", "owner": "billing", "critical": "1", "reason": "agreed"}
    answer = browser.send(GROUP, "accept-form", f"{GROUP}/accept", **typed)
    assert answer.status_code == 303
    assert answer.headers["location"] == GROUP
    (rule,) = controller.ignored["plans"]
    assert (rule.path, rule.reason, rule.owner) == ("$.data[*].price", "agreed", "billing")
    assert rule.until == date(2099, 3, 1)
    page = browser.get(GROUP).text
    assert "Expected until 2099-03-01: ruled out with version 19." in page
    assert re.search(r"Expected since rules version <a[^>]*>19</a>, by ada: agreed", page)
    assert "accept-form" not in page
    assert GROUP not in browser.get("/differences").text
    assert GROUP in browser.get("/differences?state=expected").text


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"until": "soon"}, "The last day is a date"),
        ({"until": "2020-01-01"}, "has ended already"),
        ({"critical": ""}, "at a place that the rules call critical"),
        ({"reason": ""}, "The reason is empty"),
        ({"expected_version": "3"}, "Somebody changed the routing"),
        ({"token": "forged"}, "nothing was changed"),
    ],
)
def test_an_acceptance_that_is_refused_keeps_its_text(
    browser: Browser, controller: FakeController, typed: dict[str, str], told: str
) -> None:
    """The form comes back open, with what is wrong above it and everything that was typed."""
    whole = {"until": "2099-03-01", "owner": "the owner", "critical": "1", **typed}
    answer = browser.send(GROUP, "accept-form", f"{GROUP}/accept", **whole)
    assert answer.status_code in (403, 409, 422)
    assert told in answer.text
    assert 'value="the owner"' in answer.text
    assert '<details class="decide" id="decide-accept" open>' in answer.text
    assert f'hx-get="{GROUP}"' in answer.text
    assert not controller.ignored


def test_a_difference_is_marked_as_fixed(browser: Browser, report: FakeReport) -> None:
    """Nothing is asked but who and why."""
    assert browser.send(GROUP, "fixed-form", f"{GROUP}/fixed", reason="2.4.1").status_code == 303
    assert report.details[0].summary.state == "fixed"
    page = browser.get(GROUP).text
    assert "It opens again when it is seen again." in page
    assert "by ada: 2.4.1" in page
    refused = browser.get("/differences/47aa10f3c2b9d811").text
    assert "accept-form" in refused


def test_a_proposal_is_adopted(browser: Browser, controller: FakeController) -> None:
    """From the list to what speaks for it to a rule, under a version that says why."""
    noise, clock = FakeReport().proposed
    assert f'href="/differences/proposals/{noise.id}"' in browser.get("/differences").text
    page = f"/differences/proposals/{noise.id}"
    assert "40 of 40" not in browser.get(page).text
    assert "100%" in browser.get(page).text
    refused = browser.send(page, "adopt-form", f"{page}/adopt", until="")
    assert refused.status_code == 422
    assert "An ignore rule ends one day. Name a day to come." in refused.text
    typed = {"until": "2099-03-01", "owner": "ops", "reason": "a clock"}
    done = browser.send(page, "adopt-form", f"{page}/adopt", **typed)
    assert done.headers["location"] == "/differences"
    assert "The rule is in force with version 19." in browser.get("/differences").text
    assert controller.journal[-1].evidence["ignore"] == {
        "path": "$.meta.at", "reason": "a clock", "owner": "ops", "until": "2099-03-01",
    }  # fmt: skip
    page = f"/differences/proposals/{clock.id}"
    assert 'name="until"' not in browser.get(page).text
    assert browser.send(page, "adopt-form", f"{page}/adopt").status_code == 303
    assert controller.journal[-1].evidence["tolerances"] == {"$.meta.clock": {"time": "60s"}}


def test_what_went_away_meanwhile_is_told(browser: Browser, report: FakeReport) -> None:
    """A group that was pruned and a proposal that somebody else adopted: a page says so."""
    page = f"/differences/proposals/{report.proposed[0].id}"
    fields = browser.hidden(page, "adopt-form") | {"author": "ada", "reason": "x"}
    report.proposed = []
    answer = browser.client.post(f"{page}/adopt", data={**fields, "until": "2099-03-01"})
    assert answer.status_code == 404
    assert "it may be a rule by now" in answer.text
    report.details = []
    answer = browser.client.post(f"{GROUP}/fixed", data=fields)
    assert answer.status_code == 404
    assert "There is no group of differences" in answer.text


def test_a_store_that_is_gone_is_told_above_nothing(browser: Browser, report: FakeReport) -> None:
    """Nothing can be decided about what cannot be read."""
    fields = browser.hidden(GROUP, "fixed-form") | {"author": "ada", "reason": "x"}
    report.broken = True
    answer = browser.client.post(f"{GROUP}/fixed", data=fields)
    assert answer.status_code == 503
    assert "cannot be read right now" in answer.text


def test_traffic_is_recorded_and_every_page_says_so(
    browser: Browser, controller: FakeController
) -> None:
    """Until somebody stops what was looked at, with a reason."""
    typed = {"routes": "plans, everything-else", "share": "10", "minutes": "30", "mebibytes": "100"}
    answer = browser.send("/recording", "start-form", "/recording/start", **typed)
    assert (answer.status_code, answer.headers["location"]) == (303, "/recording")
    order = controller.recordings.now
    assert order is not None
    assert (order.routes, order.share) == (("plans", "everything-else"), 0.1)
    assert (order.until - order.at, order.size) == (1800, 100 * 2**20)
    assert "10% of plans, everything-else, by ada" in browser.get("/rules").text
    page = browser.get("/recording").text
    assert "Recording 10% of plans, everything-else" in page
    assert "start-form" not in page
    browser.send("/recording", "stop-form", "/recording/stop", reason="enough")
    assert controller.recordings.now is None
    assert (controller.journal[-1].action, controller.journal[-1].reason) == (
        "record_end",
        "enough",
    )


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"share": "0"}, "The share is a percentage above 0"),
        ({"share": "all"}, "The share is a percentage above 0"),
        ({"minutes": "0"}, "The minutes are a whole number from 1 to 10,080."),
        ({"minutes": "soon"}, "The minutes are a whole number"),
        ({"mebibytes": "999999"}, "The mebibytes are a whole number from 1 to 65,536."),
        ({"routes": "plan"}, "Did you mean plans?"),
        ({"reason": " "}, "The reason"),
    ],
)
def test_what_cannot_be_recorded_is_told_above_the_form(
    browser: Browser, controller: FakeController, typed: dict[str, str], said: str
) -> None:
    """With what was typed, and nothing is recorded."""
    usual = {"routes": "", "share": "12.5", "minutes": "7", "mebibytes": "5"}
    answer = browser.send("/recording", "start-form", "/recording/start", **{**usual, **typed})
    assert answer.status_code in (404, 422)
    assert said in answer.text
    assert 'value="a test"' in answer.text or "reason" in typed
    assert controller.recordings.now is None


def test_a_recording_that_has_begun_since_is_not_stopped(
    browser: Browser, controller: FakeController
) -> None:
    """Its author is named, and it goes on."""
    fields = {"share": "10", "minutes": "1", "mebibytes": "5"}
    browser.send("/recording", "start-form", "/recording/start", **fields)
    hidden = browser.hidden("/recording", "stop-form")
    typed = {**hidden, "recording": "20200101T000000Z", "author": "grace", "reason": "enough"}
    answer = browser.client.post("/recording/stop", data=typed)
    assert answer.status_code == 409
    assert "ada records by now" in answer.text
    assert controller.recordings.now is not None
