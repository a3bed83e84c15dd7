"""What every store must do, whatever keeps it; each implementation's tests inherit these."""

from __future__ import annotations

import pytest

from proxy.control.interval import Interval, SideCounts
from proxy.control.status import DecisionRecord, Rollback, VersionRecord, WriteHalt
from proxy.control.store.base import Store
from proxy.errors import ConflictError
from proxy.rollout.plan import Hand, Progress
from shadow_compare.store.errors import StoreError

ROLLBACK = Rollback(
    at=1_790_000_000.25,
    author="cutover",
    reason="error rate of 12.5% over 96 requests is above 5.00%",
    cooldown_until=1_790_000_600.25,
    times=1,
    active=True,
    evidence={"detector": "error_rate", "value": 0.125, "samples": [{"path": "/api/plans"}]},
    cooldown=600.0,
    automatic=True,
)

PROGRESS = Progress(
    entered=3,
    step=1,
    held=Hand(1_790_000_000.25, "jürgen", "lunch"),
    approved=Hand(1_790_000_000.75, "ada", "the numbers are good"),
)

WRITE_HALT = WriteHalt(
    at=1_790_000_000.25,
    author="cutover",
    reason="its answer (201) has no cutover-shadow-ack",
    active=True,
    epoch=3,
    evidence={"write": "req-1.aa"},
)


def version(number: int, parent: int | None = None) -> VersionRecord:
    """Give a version that fills every field."""
    return VersionRecord(
        number=number,
        parent=number - 1 if parent is None else parent,
        at=1_790_000_000.5 + number,
        author="jürgen",
        reason="raise the share",
        text="version: 1 # größer\n",
        rolled_back=("plans",),
        kill_switch=number % 2 == 0,
        evidence={"weight": 1000},
        rollbacks={"plans": ROLLBACK},
        write_halts={"plans": WRITE_HALT},
        progress={"plans": PROGRESS, "users": Progress(entered=2)},
    )


def decision(number: int, route: str | None = "plans") -> DecisionRecord:
    """Give a decision that fills every field."""
    return DecisionRecord(
        id=number,
        at=1_790_000_000.5,
        route=route,
        action="rollback",
        author="cutover",
        reason="too many errors",
        version=3,
        evidence={"detector": "p95", "samples": []},
    )


def interval(at: float, route: str) -> Interval:
    """Give a minute that fills every field."""
    seen = SideCounts(ok=90, bad=2, served=90, distinct=1, latencies={-3: 1, 220: 91})
    return Interval(route, at, 60.0, 3, 1000, seen, SideCounts(), {"match": 4})


class StoreContract:
    """Inherit, and give the fixture `store`, empty."""

    async def test_empty(self, store: Store) -> None:
        """A new store holds nothing."""
        assert await store.latest() is None
        assert await store.versions() == []
        assert await store.decisions() == []
        assert await store.version(1) is None
        assert await store.decision(1) is None

    async def test_records_come_back_as_they_were(self, store: Store) -> None:
        """Every field of a version and of a decision survives, rollbacks included."""
        await store.append(version(1), decision(1))
        assert await store.latest() == version(1)
        assert await store.version(1) == version(1)
        assert await store.decision(1) == decision(1)

    async def test_newest_first_and_paged(self, store: Store) -> None:
        """Lists begin with the newest, and `before` goes on where the last page ended."""
        for number in range(1, 6):
            await store.append(version(number), decision(number))
        assert [r.number for r in await store.versions(limit=2)] == [5, 4]
        assert [r.number for r in await store.versions(limit=2, before=4)] == [3, 2]
        assert [r.id for r in await store.decisions(limit=3)] == [5, 4, 3]
        assert [r.id for r in await store.decisions(limit=9, before=3)] == [2, 1]

    async def test_decisions_of_one_route(self, store: Store) -> None:
        """Decisions can be read for one route; those about everything belong to none."""
        for number, route in enumerate(("plans", "users", None, "plans"), start=1):
            await store.append(decision=decision(number, route))
        assert [r.id for r in await store.decisions(route="plans")] == [4, 1]
        assert [r.id for r in await store.decisions(route="plans", before=4)] == [1]
        assert [r.id for r in await store.decisions(route="nothing")] == []

    async def test_second_of_two_writers_is_told(self, store: Store) -> None:
        """A version whose parent is no longer the newest is refused, with its decision."""
        await store.append(version(1))
        await store.append(version(2))
        with pytest.raises(ConflictError):
            await store.append(version(2), decision(7))
        with pytest.raises(ConflictError):
            await store.append(version(9, parent=1), decision(7))
        assert await store.latest() == version(2)
        assert await store.decision(7) is None

    async def test_empty_store_takes_any_version(self, store: Store) -> None:
        """A store that has lost its past takes the present."""
        await store.append(version(41))
        assert await store.latest() == version(41)

    async def test_version_after_a_gap(self, store: Store) -> None:
        """Numbers may leave a gap, as long as the parent is the newest."""
        await store.append(version(3))
        await store.append(version(9, parent=3))
        assert await store.latest() == version(9, parent=3)

    async def test_restore_adds_what_is_missing(self, store: Store) -> None:
        """Restoring keeps what is there, and may be repeated."""
        await store.append(version(2), decision(2))
        for _ in range(2):
            await store.restore([version(1), version(2), version(5)], [decision(1), decision(2)])
        assert [r.number for r in await store.versions()] == [5, 2, 1]
        assert [r.id for r in await store.decisions()] == [2, 1]
        await store.restore([], [])

    async def test_evidence_comes_back_as_it_was(self, store: Store) -> None:
        """What was measured of a route replaces what was kept of it; others keep theirs."""
        assert await store.evidence() == {}
        await store.append(version(1))
        await store.keep_evidence(1, {"plans": {"step": {"held": 1.5}}, "ünser": {"step": {}}})
        await store.keep_evidence(1, {"plans": {"step": {"held": 2.5}}})
        await store.keep_evidence(1, {})
        assert await store.evidence() == {"plans": {"step": {"held": 2.5}}, "ünser": {"step": {}}}

    async def test_evidence_under_rules_of_yesterday_is_none(self, store: Store) -> None:
        """It is kept only while its version is the newest: no late writer brings it back."""
        with pytest.raises(ConflictError):
            await store.keep_evidence(1, {"plans": {}})
        await store.append(version(1))
        await store.keep_evidence(1, {"plans": {"held": 1}})
        await store.append(version(2))
        with pytest.raises(ConflictError):
            await store.keep_evidence(1, {"plans": {"held": 9}})
        assert await store.evidence() == {"plans": {"held": 1}}

    async def test_evidence_of_what_is_no_more_goes(self, store: Store) -> None:
        """What is kept of routes that are still there stays, however many there were."""
        await store.append(version(1))
        await store.keep_evidence(1, {f"r{n}": {"n": n} for n in range(1200)})
        await store.drop_evidence({"r7", "plans"})
        assert await store.evidence() == {"r7": {"n": 7}}
        await store.drop_evidence(())
        assert await store.evidence() == {}

    async def test_intervals_come_back_in_order(self, store: Store) -> None:
        """By time and by route, page by page; who watched is told with every route."""
        assert await store.intervals(0.0, 1e12) == []
        await store.keep_intervals([])
        minutes = [interval(at, route) for at in (60.0, 120.0) for route in ("", "plans", "ünser")]
        await store.keep_intervals(minutes)
        found = await store.intervals(0.0, 1e12)
        assert [each for _, each in found] == minutes
        assert [each for _, each in await store.intervals(61.0, 120.0)] == minutes[3:]
        routes = [each.route for _, each in await store.intervals(0.0, 119.0, route="ünser")]
        assert routes == ["", "ünser"]
        first = await store.intervals(0.0, 1e12, limit=2)
        assert await store.intervals(0.0, 1e12, after=first[-1][0]) == found[2:]

    async def test_intervals_are_bounded_in_age_and_number(self, store: Store) -> None:
        """The oldest go first."""
        await store.drop_intervals(0.0, 3)
        await store.keep_intervals([interval(60.0 * n, "plans") for n in range(1, 6)])
        await store.drop_intervals(120.0, 100)
        assert [each.at for _, each in await store.intervals(0.0, 1e12)] == [120, 180, 240, 300]
        await store.drop_intervals(0.0, 2)
        assert [each.at for _, each in await store.intervals(0.0, 1e12)] == [240, 300]

    async def test_rollups_come_back_by_their_length(self, store: Store) -> None:
        """In order, page by page; of one route only its own; the newest is known."""
        assert await store.newest_rollup(600) is None
        tens = [interval(at, route) for at in (600.0, 1200.0) for route in ("", "plans")]
        await store.keep_rollups(600, tens)
        await store.keep_rollups(3600, [interval(3600.0, "plans")])
        found = await store.rollups(600, 0.0, 1e12)
        assert [each for _, each in found] == tens
        assert [each for _, each in await store.rollups(600, 601.0, 1e12, "plans")] == tens[3:]
        assert await store.rollups(600, 0.0, 1e12, limit=3, after=found[0][0]) == found[1:]
        assert (await store.newest_rollup(600), await store.newest_rollup(3600)) == (1200, 3600)

    async def test_the_same_is_added_up_once(self, store: Store) -> None:
        """Two who add up are told apart by the store, and one of them gives way."""
        await store.keep_rollups(600, [interval(600.0, "plans")])
        with pytest.raises(StoreError):
            await store.keep_rollups(600, [interval(600.0, "plans")])
        await store.keep_rollups(3600, [interval(600.0, "plans")])

    async def test_rollups_are_bounded_in_age_and_number(self, store: Store) -> None:
        """The oldest of a length go first; other lengths stay."""
        await store.keep_rollups(600, [interval(600.0 * n, "plans") for n in range(1, 6)])
        await store.keep_rollups(3600, [interval(600.0, "plans")])
        await store.drop_rollups(600, 1200.0, 100)
        assert [each.at for _, each in await store.rollups(600, 0.0, 1e12)] == [
            1200,
            1800,
            2400,
            3000,
        ]
        await store.drop_rollups(600, 0.0, 2)
        assert [each.at for _, each in await store.rollups(600, 0.0, 1e12)] == [2400, 3000]
        assert len(await store.rollups(3600, 0.0, 1e12)) == 1

    async def test_check_gives_the_same_while_nothing_happens(self, store: Store) -> None:
        """A store that is still the same says so."""
        assert await store.check() == await store.check()
