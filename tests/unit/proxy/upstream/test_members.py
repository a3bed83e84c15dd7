from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from proxy.routing.side import Side
from proxy.routing.upstream_rules import EjectionRules, ProbeRules, UpstreamRules
from proxy.upstream.ejection import max_ejected
from proxy.upstream.members import Member, Members

NOW = 1000.0
EJECTION = EjectionRules(failures=1, duration=10.0, max_ejected=0.5)


def rules(count: int, **others: object) -> UpstreamRules:
    """Give a side with so many instances: a, b, c and so on."""
    urls = tuple(f"http://{name}:80" for name in "abcdefgh"[:count])
    settled = {"ejection": EJECTION, "probe": ProbeRules("/health", rise=1, fall=1), **others}
    return UpstreamRules(Side.MODERN, urls, **settled)  # type: ignore[arg-type] # passed through


class Notes:
    """Counts events."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def __call__(self, event: str, label: str) -> None:
        """Keep one."""
        self.seen.append((event, label))


def drawn(members: Members, now: float = NOW) -> str:
    """Give whom even chance can choose."""
    return "".join(sorted({members.pick(i / 60, now).instance.host for i in range(60)}))


def test_whoever_is_out_is_not_chosen() -> None:
    """Until its time is over."""
    notes = Notes()
    members = Members(rules(3), notes)
    assert members.report(members.all[0], NOW, bad=True)
    assert drawn(members) == "bc"
    assert drawn(members, NOW + 9.9) == "bc"
    assert drawn(members, NOW + 10) == "abc"
    assert notes.seen == [("ejections", "a:80")]


def test_no_more_are_ejected_than_may_be() -> None:
    """Half of four; what the probes take out counts, too."""
    members = Members(rules(4), Notes())
    members.note_probe(members.all[3], NOW, good=False, said="no")
    told = [members.report(member, NOW, bad=True) for member in members.all[:3]]
    assert told == [True, False, False]
    assert drawn(members) == "bc"


def test_probes_take_out_as_many_as_they_must() -> None:
    """They have asked each: no share bounds them, but when none is left all are used."""
    notes = Notes()
    members = Members(rules(2), notes)
    assert members.note_probe(members.all[0], NOW, good=False, said="no")
    assert drawn(members) == "b"
    assert members.note_probe(members.all[1], NOW, good=False, said="no")
    assert drawn(members) == "ab"
    assert notes.seen[:2] == [("probes_failed", "a:80"), ("probes_failed", "b:80")]
    assert set(notes.seen[2:]) == {("panic_leases", "modern")}
    assert not any(members.is_out(member) for member in members.all)


def test_both_witnesses_must_agree() -> None:
    """What has been ejected and is down comes back when both say so."""
    members = Members(rules(2), Notes())
    one = members.all[0]
    members.report(one, NOW, bad=True)
    members.note_probe(one, NOW, good=False, said="no")
    assert drawn(members, NOW + 10) == "b"
    assert not members.note_probe(one, NOW + 11, good=True, said="yes")
    assert drawn(members, NOW + 11) == "ab"


def test_the_log_tells_what_happens(caplog: pytest.LogCaptureFixture) -> None:
    """Which side, which instance, and why."""
    caplog.set_level("INFO")
    members = Members(rules(2), Notes())
    members.report(members.all[0], NOW, bad=True)
    members.pass_time(NOW + 10)
    members.note_probe(members.all[1], NOW, good=False, said="answered 500")
    assert [record.getMessage() for record in caplog.records] == [
        "modern: instance a:80 is ejected for 10 s: its last requests failed",
        "modern: instance a:80 is readmitted",
        "modern: instance b:80 is DOWN by its probes: answered 500",
    ]


def test_whoever_comes_back_begins_slowly() -> None:
    """By either witness."""
    members = Members(rules(2, slow_start=10.0), Notes())
    one, other = members.all
    members.report(one, NOW, bad=True)
    members.pass_time(NOW + 10)
    members.note_probe(other, NOW + 20, good=False, said="no")
    members.note_probe(other, NOW + 30, good=True, said="yes")
    assert (one.since, other.since) == (NOW + 10, NOW + 30)


def test_the_others_are_tried_by_load_and_who_is_out_at_last() -> None:
    """When one cannot be reached."""
    members = Members(rules(4), Notes())
    first, out, busy, free = members.all
    members.report(out, NOW, bad=True)
    busy.connecting = 3
    assert members.others(first) == [free, busy, out]


def test_what_was_known_is_inherited() -> None:
    """By address; who is new begins slowly, who is gone is forgotten, and nothing is shared."""
    before = Members(rules(2), Notes())
    before.report(before.all[0], NOW, bad=True)
    after = Members(rules(3, slow_start=5.0), Notes(), before, NOW)
    assert drawn(after) == "bc"
    assert [member.since for member in after.all] == [before.all[0].since] * 2 + [NOW]
    after.pass_time(NOW + 10)
    assert drawn(before, NOW) == "b"


def test_the_only_one_is_never_ejected() -> None:
    """Its failures are the side's, which the detectors judge."""
    members = Members(rules(1, ejection=EjectionRules(1, max_ejected=1.0)), Notes())
    assert not any(members.report(members.all[0], NOW, bad=True) for _ in range(9))


class AnySequence(RuleBasedStateMachine):
    """Does anything in any order, and looks at the bounds after each step."""

    @initialize(count=st.integers(1, 6), share=st.sampled_from([0.0, 0.3, 0.5, 1.0]))
    def begin(self, count: int, share: float) -> None:
        """Make the members."""
        self.now = NOW
        ejection = EjectionRules(2, 10.0, 60.0, share)
        self.members = Members(rules(count, ejection=ejection), Notes())
        self.bound = max_ejected(count, share)

    def _one(self, pick: int) -> Member:
        return self.members.all[pick % len(self.members.all)]

    @rule(pick=st.integers(0, 5), bad=st.booleans())
    def report(self, pick: int, bad: bool) -> None:
        """An attempt ends."""
        self.members.report(self._one(pick), self.now, bad=bad)

    @rule(pick=st.integers(0, 5), good=st.booleans())
    def probe(self, pick: int, good: bool) -> None:
        """A probe is answered."""
        self.members.note_probe(self._one(pick), self.now, good=good, said="")

    @rule(seconds=st.sampled_from([1.0, 10.0, 60.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    @invariant()
    def no_more_are_ejected_than_may_be(self) -> None:
        """Whatever happens."""
        assert sum(m.ejection.standing == "EJECTED" for m in self.members.all) <= self.bound

    @rule(chance=st.floats(0.0, 1.0, exclude_max=True))
    def pick(self, chance: float) -> None:
        """Somebody asks: an instance that takes part is chosen, or any when none does."""
        chosen = self.members.pick(chance, self.now)
        assert chosen.admitted or not any(member.admitted for member in self.members.all)

    @rule()
    def everything_ends(self) -> None:
        """Within the longest ejection everybody who is well takes part again."""
        self.now += 60.0
        for member in self.members.all:
            self.members.note_probe(member, self.now, good=True, said="")
        self.members.pass_time(self.now)
        assert all(member.admitted for member in self.members.all)


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
