from __future__ import annotations

from proxy.admin.preview import preview
from proxy.control.status import CoverageStatus
from tests.support_console import FakeController, progress, route, side

STATUS = FakeController().status()


def test_a_rise_tells_which_buckets_move_and_what_would_be_caught() -> None:
    """From 10% to 25% of 20 requests a second: 15% of the users, three requests a second."""
    told = preview(route(legacy=side(1080), modern=side(120)), 2500, killed=False)
    assert (told.buckets, told.moved, told.to) == ((1000, 2500), 0.15, "modern")
    assert told.requests == 3.0
    assert told.power.startswith("at 25% of 20 rps, a jump from 0.5% to 5% errors will be caught")
    assert told.warnings == ()


def test_a_fall_moves_the_same_users_back() -> None:
    """Nothing is proved by less, so nothing is warned of."""
    told = preview(route(), 250, killed=False)
    assert (told.buckets, told.to, told.warnings) == ((250, 1000), "legacy", ())
    assert preview(route(), 0, killed=False).power == ""


def test_the_same_weight_moves_nobody() -> None:
    """Whatever is typed."""
    assert preview(route(), 1000, killed=False).to is None


def test_reasons_to_wait_are_told() -> None:
    """The gate, differences, a breach, a leap, and what the plan would do."""
    told = preview(
        route(
            progress=progress(),
            coverage=CoverageStatus(match=90, mismatch=10),
            verdict="ROLLBACK",
            verdict_reason="p95 is above 1 s",
            on_breach="freeze",
        ),
        7000,
        killed=False,
    )
    assert [text.split(":")[0] for text in told.warnings] == [
        "A limit is broken now",
        "The gate of this step still needs 875 more requests on modern, about 7 min; an approval"
        " by hand.",
        "10 of 100 answers compared differ.",
        "60% of all users move at once.",
        "This route is frozen on a breach, not rolled back.",
        "70% is no step of plan standard",
    ]


def test_a_route_without_traffic_proves_nothing() -> None:
    """Neither do answers that nobody compared."""
    quiet = route(legacy=side(0), modern=side(0), coverage=CoverageStatus())
    told = preview(quiet, 2000, killed=False)
    assert told.requests == 0.0
    assert told.warnings == (
        "No answers of this route were compared in the last window.",
        "There is no traffic now: failures could not be noticed.",
    )


def test_a_trickle_proves_little() -> None:
    """The hours are told in which failures would go unnoticed."""
    slow = route(legacy=side(3, window=60.0), modern=side(0))
    assert "unnoticed" in preview(slow, 1100, killed=False).warnings[-1]


def test_what_is_out_of_force_is_told() -> None:
    """A kill switch and a rollback count more than any weight."""
    back = next(each for each in STATUS.routes if each.rolled_back)
    told = preview(back, 0, killed=True)
    assert [text.split(":")[0] for text in told.warnings] == [
        "The kill switch is on",
        "The route is rolled back",
    ]
