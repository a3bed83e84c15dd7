from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from proxy.clock import FakeClock
from proxy.outcome import BAD_EVENTS_MAX, BadEvent, OutcomeKind
from proxy.routing.side import Side
from proxy.serving.plane import Plane
from proxy.snapshot import Snapshot
from proxy.upstream.connect import TlsError
from tests.support_exchange import Tap
from tests.support_routing import plain, rules
from tests.support_tls import make_pair

CLOCK = FakeClock()


@pytest.fixture
def plane() -> Plane:
    """Give the plane of the third of four workers."""
    return Plane(2, 4, b"key", Tap(), None, CLOCK.monotonic, CLOCK.wall)


def snapshot(version: int, **legacy: object) -> Snapshot:
    """Give a snapshot in which legacy has these settings."""
    upstreams = {
        "legacy": {"instances": ["http://l"], **legacy},
        "modern": {"instances": ["http://m"]},
    }
    return Snapshot(version, plain(upstreams=upstreams), rules(upstreams=upstreams))


def fail(plane: Plane, kind: OutcomeKind = OutcomeKind.STATUS) -> None:
    """Record a failure of modern."""
    event = BadEvent(CLOCK.wall(), 1, kind, 503, 0.1, "GET", "/a", "id")
    plane.record_bad("r", "modern", event)


def test_a_batch_says_who_saw_what(plane: Plane) -> None:
    """And then the counting begins anew."""
    plane.apply(snapshot(7))
    plane.tallies.of("r", "legacy").decided += 2
    plane.tallies.of("r", "legacy").add_ok(0.01)
    plane.drop_capture("r", "queue_full")
    plane.offer("r", CAPTURE)
    plane.connections = 3
    before, batch, after = plane.has_news, plane.batch(plane.tallies.take_all()), plane.has_news
    assert (before, after) == (True, False)
    assert (batch.worker, batch.pid, batch.version, batch.at) == (2, os.getpid(), 7, CLOCK.wall())
    assert (batch.connections, batch.captures_sent) == (3, 1)
    assert batch.captures_dropped == {"r": {"queue_full": 1}}
    assert (batch.tallies["r", "legacy"].decided, batch.tallies["r", "legacy"].ok) == (2, 1)
    assert batch.pools["modern"] == {"idle": 0, "leased": 0, "connecting": 0, "waiting": 0}
    empty = plane.batch(plane.tallies.take_all())
    assert (empty.tallies, empty.captures_sent, empty.captures_dropped) == ({}, 0, {})


CAPTURE = b"\x00\x00\x00\x02\x00\x00"


@pytest.fixture(autouse=True)
def _any_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tap, "offer", lambda self, _frame: self.refusal)


def test_before_the_first_rules_a_batch_has_no_version(plane: Plane) -> None:
    """The controller sees that the worker waits."""
    batch = plane.batch({})
    assert (batch.version, batch.pools) == (0, {})


def test_a_failure_is_told_at_once_with_its_evidence(plane: Plane) -> None:
    """And with what explains it."""
    told: list[int] = []
    plane.on_bad = lambda: told.append(1)
    fail(plane)
    (event,) = plane.batch(plane.tallies.take_all()).tallies["r", "modern"].bad_events
    assert told == [1]
    assert (event.identity, event.status, event.latency) == (1, 503, 0.1)
    assert (event.path, event.request_id, event.at) == ("/a", "id", CLOCK.wall())


def test_evidence_is_bounded_the_count_is_not(plane: Plane) -> None:
    """A storm of failures fills no memory."""
    for _ in range(BAD_EVENTS_MAX + 5):
        fail(plane)
    tally = plane.batch(plane.tallies.take_all()).tallies["r", "modern"]
    assert (tally.bad, len(tally.bad_events)) == (BAD_EVENTS_MAX + 5, BAD_EVENTS_MAX)


@pytest.mark.parametrize("kind", [kind for kind in OutcomeKind if kind.is_bad])
def test_a_latency_counts_where_time_was_spent_waiting(plane: Plane, kind: OutcomeKind) -> None:
    """A refused connection is fast, and says nothing about how fast modern answers."""
    fail(plane, kind)
    counted = bool(plane.batch(plane.tallies.take_all()).tallies["r", "modern"].latencies)
    assert counted is (kind in (OutcomeKind.STATUS, OutcomeKind.TIMEOUT))


def test_connections_are_shared_out_among_the_workers(plane: Plane) -> None:
    """`max_connections` is what the upstream sees; each worker has one at least."""
    plane.apply(snapshot(1, max_connections=64))
    assert plane.pools[Side.LEGACY].size == 16
    plane.apply(snapshot(2, max_connections=3))
    assert plane.pools[Side.LEGACY].size == 1


def test_only_an_upstream_that_changes_gets_a_new_pool() -> None:
    """Connections live on through every other change of rules."""
    plane = Plane(0, 1, b"key", Tap(), None, CLOCK.monotonic, CLOCK.wall)
    plane.apply(snapshot(1))
    before = dict(plane.pools)
    plane.apply(snapshot(2))
    assert plane.pools == before
    plane.apply(snapshot(3, max_connections=5))
    assert plane.pools[Side.MODERN] is before[Side.MODERN]
    assert plane.pools[Side.LEGACY] is not before[Side.LEGACY]
    assert {side: pool._closed for side, pool in before.items()} == {
        Side.LEGACY: True,
        Side.MODERN: False,
    }


OVER_TLS = {"instances": ["https://l"], "tls": {"ca": "/nowhere/ca.pem"}}


def test_rules_with_a_file_that_cannot_be_used_change_nothing(plane: Plane) -> None:
    """What was served before is served on, from the same pools."""
    plane.apply(snapshot(1))
    table, pools = plane.table, dict(plane.pools)
    with pytest.raises(TlsError, match=r"upstreams\.legacy\.tls\.ca: /nowhere/ca\.pem"):
        plane.apply(snapshot(2, **OVER_TLS))
    assert (plane.table, plane.pools) == (table, pools)


async def test_without_other_rules_half_a_service_is_better_than_none(plane: Plane) -> None:
    """The other side is served; on this one there are no connections, and the log says why."""
    plane.apply(snapshot(1, **OVER_TLS))
    assert plane.table is not None
    pool = plane.pools[Side.LEGACY]
    with pytest.raises(OSError, match="cannot be used"):
        await pool.connect(pool, pool.members.all[0].instance, 1.0, 1.0)


def test_files_are_read_anew_when_told(plane: Plane, tmp_path: Path) -> None:
    """Only sides with TLS get a new pool, which knows what the old one knew."""
    pair = make_pair(tmp_path)
    plane.apply(snapshot(1, instances=["https://l"], tls={"ca": str(pair.cert)}))
    before = dict(plane.pools)
    plane.reread()
    assert plane.pools[Side.MODERN] is before[Side.MODERN]
    assert plane.pools[Side.LEGACY] is not before[Side.LEGACY]
    after = dict(plane.pools)
    pair.cert.write_bytes(b"")
    with pytest.raises(TlsError):
        plane.reread()
    assert plane.pools == after


def test_ids_are_unique_and_say_nothing(plane: Plane) -> None:
    """Also among workers, which draw their own prefix."""
    other = Plane(0, 1, b"key", Tap(), None, CLOCK.monotonic, CLOCK.wall)
    ids = [plane.request_id() for _ in range(1000)] + [other.request_id() for _ in range(1000)]
    assert len(set(ids)) == 2000
    assert all(re.fullmatch(rb"[0-9a-f]{20}", each) for each in ids)
    traces = {plane.traceparent() for _ in range(1000)}
    assert len(traces) == 1000
    assert all(re.fullmatch(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-00", each) for each in traces)


@pytest.mark.parametrize(
    ("share", "least", "most"), [(0.0, 0, 0), (1.0, 2000, 2000), (0.3, 450, 750)]
)
def test_a_share_is_sampled(plane: Plane, share: float, least: int, most: int) -> None:
    """None, all, or about as many as it says: seven standard deviations are allowed."""
    assert least <= sum(plane.samples(share) for _ in range(2000)) <= most
