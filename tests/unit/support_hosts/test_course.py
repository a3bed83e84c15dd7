"""What happens to several hosts comes by chance, and again by the same seed."""

from __future__ import annotations

from itertools import islice

from tests.support_hosts.course import ACTING, LEASE, rounds
from tests.support_hosts.faults import AT_ONCE, FOR_ALL, Kind

HOSTS = ("one", "two")


def test_a_seed_gives_the_same_rounds() -> None:
    """So that what has gone wrong can be played again; another gives others."""
    assert [*islice(rounds(7, HOSTS), 20)] == [*islice(rounds(7, HOSTS), 20)]
    assert [*islice(rounds(7, HOSTS), 20)] != [*islice(rounds(8, HOSTS), 20)]


def test_every_kind_of_fault_comes_before_any_comes_again() -> None:
    """A few rounds have many kinds."""
    faults = [strike.fault for this in islice(rounds(7, HOSTS), 40) for strike in this.strikes]
    kinds = [fault.kind for fault in faults]
    assert set(kinds[: len(Kind)]) == set(kinds[len(Kind) : 2 * len(Kind)]) == set(Kind)


def test_hosts_are_struck_and_most_of_all_the_acting_one() -> None:
    """A fault of a server strikes no host."""
    strikes = [strike for this in islice(rounds(7, HOSTS), 200) for strike in this.strikes]
    struck = [each.fault.host for each in strikes if each.fault.kind not in FOR_ALL]
    assert {each.fault.host for each in strikes if each.fault.kind in FOR_ALL} == {""}
    assert set(struck) == {ACTING, *HOSTS}
    assert max(set(struck), key=struck.count) == ACTING


def test_faults_end_before_a_lease_does_and_after() -> None:
    """Those that have an end."""
    strikes = [strike for this in islice(rounds(7, HOSTS), 100) for strike in this.strikes]
    lasting = [each.until - each.at for each in strikes if each.fault.kind not in AT_ONCE]
    assert min(lasting) < LEASE < max(lasting)
