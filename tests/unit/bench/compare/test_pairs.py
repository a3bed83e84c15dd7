from __future__ import annotations

import orjson

from bench.compare.pairs import RULES, differing, pairs, reordered
from bench.compare.timing import TODAY
from shadow_compare.compare import compare_json


def test_pairs_are_of_the_size_and_come_to_what_they_say() -> None:
    """Each is about 1.9 KB, and ours finds in it what the table says."""
    for pair in pairs():
        assert 1_850 <= len(pair.old) <= 2_000
        assert compare_json(pair.old, pair.new, RULES, TODAY).verdict == pair.verdict


def test_equal_pair_has_another_order_and_white_space_everywhere() -> None:
    """Nobody gets by with comparing bytes, nor with taking blanks away."""
    (equal,) = [pair for pair in pairs() if pair.name == "equal"]
    old, new = orjson.loads(equal.old), orjson.loads(equal.new)
    assert old == new
    assert list(new) == list(old)[::-1]
    assert list(new["data"][3]) == list(old["data"][3])[::-1]
    assert equal.old.replace(b" ", b"") != equal.new.replace(b" ", b"")


def test_differing_pair_has_one_difference() -> None:
    """One value of one row, at any size."""
    found = compare_json(*differing(200), RULES, TODAY)
    assert [each.place for each in found.differences] == ["$.data[*].status"]


def test_reordered_pair_differs_in_its_order_only() -> None:
    """Every row is there, elsewhere."""
    found = compare_json(*reordered(200), RULES, TODAY)
    assert found.places == (("reordered", "$[order]"),)
