from __future__ import annotations

from proxy.control.bus.base import Peer
from proxy.control.workers import FORGET_SECONDS, Workers
from proxy.outcome import OutcomeBatch

OLD = Peer(1, "worker", 0, 4711, generation=1)
NEW = Peer(2, "worker", 0, 5290, generation=2)


def registry(*events: tuple[Peer, bool]) -> Workers:
    """Let these come and go."""
    found = Workers()
    for peer, connected in events:
        found.come_and_go(peer, 0.0, connected=connected)
    return found


def shown(found: Workers, now: float = 0.0) -> list[tuple[int, bool]]:
    """Give process id and whether it is connected."""
    return [(status.pid, status.connected) for status in found.statuses(now)]


def test_a_restarted_worker_takes_the_place_of_the_one_before() -> None:
    """Of which nobody hears any more."""
    again = Peer(3, "worker", 0, 4712)
    found = registry((OLD, True), (OLD, False), (again, True))
    assert shown(found) == [(4712, True)]
    assert found.retiring == 0


def test_a_worker_says_in_which_form_it_runs_the_hot_path() -> None:
    """Of each worker the one that has the place now."""
    compiled = Peer(3, "worker", 0, 4712, compiled=True)
    assert [s.compiled for s in registry((OLD, True)).statuses(0.0)] == [False]
    found = registry((OLD, True), (OLD, False), (compiled, True))
    assert [s.compiled for s in found.statuses(0.0)] == [True]


def test_the_younger_generation_has_the_place_in_whatever_order_they_come() -> None:
    """A controller that begins in the middle of an upgrade hears them in any order."""
    for events in (((OLD, True), (NEW, True)), ((NEW, True), (OLD, True))):
        found = registry(*events)
        assert shown(found) == [(5290, True)]
        assert found.retiring == 1
        found.come_and_go(OLD, 0.0, connected=False)
        assert shown(found) == [(5290, True)]
        assert found.retiring == 0


def test_a_failed_upgrade_gives_the_place_back() -> None:
    """To the youngest that is left."""
    older = Peer(9, "worker", 0, 1, generation=0)
    found = registry((OLD, True), (older, True), (NEW, True), (NEW, False))
    assert shown(found) == [(4711, True)]
    assert found.retiring == 1


def test_who_retires_is_still_heard() -> None:
    """What it says of itself is noted, and does not count as its successor's."""
    found = registry((OLD, True), (NEW, True))
    batch = OutcomeBatch(0, 4711, 7, 0.0, connections=5)
    found.note_outcomes(OLD, batch, 1.0)
    (status,) = found.statuses(1.0)
    assert (status.pid, status.version, status.connections) == (5290, 0, 0)
    assert found.pools() == {}


def test_who_is_long_gone_is_forgotten() -> None:
    """And nobody takes its place by itself."""
    found = registry((NEW, True), (NEW, False))
    assert shown(found, FORGET_SECONDS - 1) == [(5290, False)]
    assert shown(found, FORGET_SECONDS) == []
