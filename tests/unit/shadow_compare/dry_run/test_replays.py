from __future__ import annotations

from shadow_compare.dry_run.replays import Replays


def test_an_id_is_admitted_once() -> None:
    """Until it could no longer come again."""
    replays = Replays()
    assert replays.admit("a", 0.0, 60.0)
    assert replays.admit("b", 1.0, 60.0)
    assert not replays.admit("a", 59.9, 60.0)
    assert replays.admit("a", 60.0, 60.0)
    assert len(replays) == 2


def test_memory_is_bounded_and_full_means_no() -> None:
    """Forgetting one early would let it come again."""
    replays = Replays(most=2)
    assert replays.admit("a", 0.0, 60.0)
    assert replays.admit("b", 0.0, 60.0)
    assert not replays.admit("c", 1.0, 60.0)
    assert not replays.admit("a", 1.0, 60.0)
    assert replays.admit("c", 61.0, 60.0)
    assert len(replays) == 1
