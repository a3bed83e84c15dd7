from __future__ import annotations

from proxy.serving.pace import RATE_MIN, renewed


def test_octets_earn_their_share() -> None:
    """So many octets give as many seconds as they may take at the minimum rate."""
    assert renewed(105.0, 100.0, 3 * RATE_MIN, 30.0) == 108.0
    assert renewed(105.0, 100.0, 0, 30.0) == 105.0


def test_no_more_is_saved_than_the_longest_silence() -> None:
    """However much comes at once, the next octets must come within the silence that is borne."""
    assert renewed(105.0, 100.0, 10**9, 30.0) == 130.0
