from __future__ import annotations

from collections.abc import Iterable

from proxy.serving.watchdog import Finding, Watchdog

ALIVE, HUNG, DEAF = Finding.ALIVE, Finding.HUNG, Finding.DEAF


def looks(dog: Watchdog, script: Iterable[tuple[float, int]]) -> list[Finding]:
    """Look at these moments, with so many beats counted by then; give what was found."""
    return [dog.look(beats, now) for now, beats in script]


def test_who_beats_is_alive() -> None:
    """However slowly."""
    assert set(looks(Watchdog(3), [(t, t // 2) for t in range(60)])) == {ALIVE}


def test_who_stands_still_is_found_and_found_deaf_if_it_stays() -> None:
    """Three seconds after its last beat, and two more for it to end by itself."""
    script = [(0, 5), (1, 5), (2, 5), (3, 5), (4, 5), (5, 5), (6, 5)]
    assert looks(Watchdog(3), script) == [ALIVE, ALIVE, ALIVE, HUNG, HUNG, DEAF, DEAF]


def test_who_has_never_beaten_is_found_as_well() -> None:
    """It hangs before its clock has begun to tick."""
    assert looks(Watchdog(2), [(t, 0) for t in range(4)]) == [ALIVE, ALIVE, HUNG, HUNG]


def test_time_that_the_supervisor_slept_through_blames_nobody() -> None:
    """A suspended machine wakes up with everybody standing still."""
    script = [(0, 5), (1, 5), (1000, 5), (1001, 5), (2000, 5), (2001, 6), (2002, 6)]
    assert set(looks(Watchdog(3), script)) == {ALIVE}


def test_looks_in_quick_succession_count_as_the_time_they_take() -> None:
    """While something else keeps the supervisor awake."""
    script = [(step * 0.02, 5) for step in range(160)]
    found = looks(Watchdog(3), script)
    assert found[:149] == [ALIVE] * 149
    assert found[-1] is HUNG


def test_a_new_life_begins_anew() -> None:
    """What the one before did is forgotten."""
    dog = Watchdog(2)
    looks(dog, [(0, 5), (1, 5), (2, 5)])
    dog.forget()
    assert looks(dog, [(3, 5), (4, 5)]) == [ALIVE, ALIVE]


def test_it_can_be_turned_off() -> None:
    """For whoever attaches a debugger."""
    assert set(looks(Watchdog(0), [(t, 0) for t in range(100)])) == {ALIVE}
