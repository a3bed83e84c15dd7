from __future__ import annotations

from shadow_compare.config import ShadowConfig
from shadow_compare.replay.run import Plan


def test_a_replay_asks_for_every_request() -> None:
    """However many were refused before it, and without a word that it is a repetition."""
    settings = Plan(ShadowConfig(1), lambda _method, _path: ("all", "/*")).settings
    assert not settings.spares_refusing
    assert not settings.marks_reads
