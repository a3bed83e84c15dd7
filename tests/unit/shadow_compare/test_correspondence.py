from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.correspondence import Correspondence, is_name, key_of


def test_a_pair_is_known_from_either_side() -> None:
    """What was learnt once is found both ways, in its scope only."""
    pairs = Correspondence()
    assert pairs.learn("user", 981, "7f3a")
    assert pairs.modern_of("user", 981) == pairs.modern_of("user", "981") == "7f3a"
    assert pairs.legacy_of("user", "7f3a") == "981"
    assert pairs.modern_of("plan", 981) is None


def test_another_partner_is_a_contradiction() -> None:
    """Neither side's name takes a second partner, and what was known stays."""
    pairs = Correspondence()
    pairs.learn("user", 981, "7f3a")
    assert pairs.learn("user", 981, "7f3a")
    assert not pairs.learn("user", 981, "8b00")
    assert not pairs.learn("user", 982, "7f3a")
    assert pairs.modern_of("user", 981) == "7f3a"
    assert len(pairs) == 1


def test_the_pair_met_longest_ago_makes_room() -> None:
    """Memory is bounded, and what is met again stays."""
    pairs = Correspondence(pairs_max=2)
    pairs.learn("t", 1, "a")
    pairs.learn("t", 2, "b")
    pairs.learn("t", 1, "a")
    pairs.learn("t", 3, "c")
    assert [pairs.modern_of("t", n) for n in (1, 2, 3)] == ["a", None, "c"]
    assert pairs.legacy_of("t", "b") is None
    assert pairs.learn("t", 4, "b")


def test_scopes_that_nobody_declares_are_forgotten() -> None:
    """What is no longer declared takes no memory."""
    pairs = Correspondence()
    pairs.learn("user", 1, "a")
    pairs.learn("plan", 1, "b")
    pairs.keep(["plan"])
    assert pairs.modern_of("user", 1) is None
    assert pairs.modern_of("plan", 1) == "b"


def test_what_can_be_a_name() -> None:
    """Texts and whole numbers can; what says yes, no, nothing or how much cannot."""
    assert all(map(is_name, ["a", 0, -1, "9" * 4096]))
    assert not any(map(is_name, ["", None, True, 1.5, [], {}, "9" * 4097]))


def test_long_names_are_kept_short() -> None:
    """A token of any length takes the same memory, and stays apart from its likes."""
    long, longer = "t" * 1000, "t" * 1001
    assert len(key_of(long)) < 100
    assert key_of(long) != key_of(longer)
    assert key_of("\ud800" * 200)


_NAMES = st.integers(0, 6)
_MEETINGS = st.lists(st.tuples(st.sampled_from("st"), _NAMES, _NAMES), max_size=60)


@given(_MEETINGS, st.integers(1, 5))
def test_it_is_a_partial_bijection(meetings: list[tuple[str, int, int]], pairs_max: int) -> None:
    """Whatever meets in whatever order, partners are mutual, and memory is bounded."""
    pairs = Correspondence(pairs_max)
    for scope, legacy, modern in meetings:
        before = pairs.modern_of(scope, legacy), pairs.legacy_of(scope, modern)
        agreed = pairs.learn(scope, legacy, modern)
        assert agreed == (before in ((None, None), (str(modern), str(legacy))))
        for each in "st":
            known = {n: pairs.modern_of(each, n) for n in range(7)}
            partners = [name for name in known.values() if name is not None]
            assert len(set(partners)) == len(partners) <= pairs_max
            for legacy_name, partner in known.items():
                if partner is not None:
                    assert pairs.legacy_of(each, partner) == str(legacy_name)
