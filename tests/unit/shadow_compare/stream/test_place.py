from __future__ import annotations

from itertools import pairwise

from shadow_compare.stream.place import Patience, Place


def test_a_place_does_not_show_its_password() -> None:
    """Whoever logs it."""
    place = Place("redis://:secret@h", "shop")
    assert place.key == "shop:captures"
    assert "secret" not in f"{place!r} {place}"


def test_attempts_grow_rarer_up_to_a_bound() -> None:
    """And begin anew after an answer; not all processes at the same moment."""
    patience = Patience()
    waits = [patience.wait() for _ in range(12)]
    assert 0.025 <= waits[0] <= 0.05
    assert all(1.0 <= wait <= 2.0 for wait in waits[7:])
    assert all(later > earlier / 2 for earlier, later in pairwise(waits))
    patience.reset()
    assert patience.wait() <= 0.05
