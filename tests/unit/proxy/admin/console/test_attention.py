from dataclasses import replace

from proxy.admin.console.attention import Level, by_attention, headline, notices, of_route, silent
from proxy.control.status import CoverageStatus, RollbackStatus, RouteStatus, Status, WriteHalt
from proxy.recording import Recording
from tests.support_console import FakeController, route, side

NOW = 1_790_000_000.0
ROLLED_BACK = RollbackStatus(NOW - 130, "cutover", "error rate 12.5% of modern is above 5%", NOW)


def status(*routes: RouteStatus) -> Status:
    """Everything now, with these routes."""
    return FakeController(list(routes), lambda: NOW).status()


def test_a_rollback_needs_a_person_first() -> None:
    """A route that was taken back says when and why."""
    judged = of_route(route(rolled_back=ROLLED_BACK), NOW)
    assert judged.level is Level.ACT
    assert judged.text == "Rolled back 2 min ago: error rate 12.5% of modern is above 5%"


def test_an_open_breach_needs_a_person() -> None:
    """A breach that freezes the weight counts like a rollback."""
    judged = of_route(route(verdict="ROLLBACK", verdict_reason="p95 1.4 s"), NOW)
    assert (judged.level, judged.text) == (Level.ACT, "Breach: p95 1.4 s")


def test_halted_writes_need_a_person() -> None:
    """Modern may have carried one out for real."""
    halt = WriteHalt(NOW - 130, "cutover", "it has not answered", True, 0)
    judged = of_route(route(writes_halted=halt), NOW)
    assert judged.level is Level.ACT
    assert judged.text == "Writes are mirrored no more, halted 2 min ago: it has not answered"


def test_differences_want_to_be_read() -> None:
    """Mismatches are worth a look, with their number and the sample."""
    judged = of_route(route(coverage=CoverageStatus(match=99, mismatch=1)), NOW)
    assert (judged.level, judged.text) == (Level.LOOK, "1 answer of 100 compared differs")


def test_failing_more_than_legacy_wants_to_be_read() -> None:
    """Before any limit is passed, an unequal pair of error rates is told with its sample."""
    judged = of_route(
        route(legacy=side(1000, 1), modern=side(200, 5), coverage=CoverageStatus()), NOW
    )
    assert judged.level is Level.LOOK
    assert judged.text.startswith("Modern fails 2.5% of 200 requests, legacy 0.1%: the gate")
    common = of_route(route(legacy=side(1000, 30), modern=side(200, 5)), NOW)
    assert common.level is Level.FINE


def test_no_traffic_is_neither_good_nor_bad() -> None:
    """A route without requests is idle, not fine."""
    judged = of_route(route(legacy=side(0), modern=side(0), coverage=CoverageStatus()), NOW)
    assert judged.level is Level.IDLE


def test_what_needs_attention_comes_first() -> None:
    """Within a level the order of the rules file stays."""
    routes = [
        route("fine-1"),
        route("look", coverage=CoverageStatus(mismatch=3)),
        route("fine-2"),
        route("act", rolled_back=ROLLED_BACK),
    ]
    assert [r.id for r, _ in by_attention(routes)] == ["act", "look", "fine-1", "fine-2"]


def test_the_headline_answers_whether_everything_is_fine() -> None:
    """One sentence for each state, the most urgent one."""
    back = route("billing", rolled_back=ROLLED_BACK)
    differing = route("plans", coverage=CoverageStatus(mismatch=3))
    assert headline(status(route())).text == "Everything is fine."
    assert headline(status()).text == "No routes yet."
    assert headline(status(differing)).text == "plans wants a look. 3 answers of 3 compared differ"
    assert headline(status(back, differing)).text.startswith("billing needs you. Rolled back")
    both = headline(status(back, replace(back, id="users")))
    assert both.text == "2 routes need you: billing, users."
    broken = replace(status(route()), store_problem="disk full")
    assert headline(broken).text == "Traffic is fine; the control plane needs a look."
    assert headline(replace(status(back), kill_switch=True)).text.startswith(
        "The kill switch is on"
    )


def test_many_names_are_cut_short() -> None:
    """A headline names three routes and counts the rest."""
    routes = [route(f"r{i}", coverage=CoverageStatus(mismatch=1)) for i in range(5)]
    assert headline(status(*routes)).text == "5 routes want a look: r0, r1, r2 and 2 more."


def test_each_problem_has_a_notice_that_says_what_to_do() -> None:
    """Kill switch, refused rules, broken store and silent workers are told, in this order."""
    now = status(route())
    worker = replace(now.workers[0], connected=False)
    troubled = replace(
        now,
        kill_switch=True,
        rules_problem="rules.yaml:1:1: no",
        store_problem="full",
        workers=(worker,),
    )
    told = notices(troubled)
    assert [notice.title for notice in told] == [
        "Kill switch is on",
        "The rules file on disk was refused",
        "The store cannot be used",
        "1 worker not heard of",
    ]
    assert told[1].detail == "rules.yaml:1:1: no"
    assert all(notice.text for notice in told)
    assert notices(now) == []


def test_a_worker_that_says_nothing_is_noticed() -> None:
    """A data plane worker reports all the time; a shadow worker only when it compares."""
    now = status(route())
    heard, quiet, shadow = now.workers
    quiet, shadow = replace(quiet, last_seen=9.0), replace(shadow, last_seen=60.0)
    gone = replace(shadow, connected=False)
    assert silent(replace(now, workers=(heard, quiet, shadow, gone))) == [quiet, gone]


def test_a_recording_is_told_on_every_page() -> None:
    """What, by whom, why, and until when; it is nobody's trouble."""
    now = replace(
        status(route()),
        recording=Recording.begun(NOW, NOW + 600, ["plans"], 0.1, 1000, "ada", "a test."),
    )
    (notice,) = notices(now)
    assert notice.text == "10% of plans, by ada, ends in 10 min: a test."
    assert (notice.tone, notice.link) == ("plain", "/recording")
    assert headline(now) == headline(status(route()))
