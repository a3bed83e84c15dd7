from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.control.loaded import LoadedRules
from proxy.control.state import Because, RoutingState, first_state
from proxy.rollout.phase import Phase
from proxy.routing.rules import Cohort
from proxy.routing.schema import load_rules
from proxy.routing.side import Side
from tests.support_control import RULES


def loaded(text: str = RULES) -> LoadedRules:
    """Parse rules."""
    return LoadedRules(text, *load_rules(text, "rules"))


def because(at: float = 1000.0) -> Because:
    """Give a reason."""
    return Because("me", "so", at, {"n": 1})


@pytest.fixture
def state() -> RoutingState:
    """Give the first state."""
    return first_state(loaded(), because())


def test_every_change_is_a_version_with_its_parent(state: RoutingState) -> None:
    """Versions are numbered one by one and know their parent, author and evidence."""
    second = state.with_kill_switch(because(1001.0), on=True)
    third = second.with_rules(loaded(RULES.replace("50%", "60%")), because(1002.0))
    assert [(s.record.number, s.record.parent) for s in (state, second, third)] == [
        (1, 0), (2, 1), (3, 2),
    ]  # fmt: skip
    assert (third.record.author, third.record.at, third.record.evidence) == ("me", 1002.0, {"n": 1})
    assert third.record.kill_switch
    assert "60%" in third.record.text


def test_nothing_is_changed_in_place(state: RoutingState) -> None:
    """The state before a change stays what it was."""
    state.with_rollback("plans", because(), 600.0)
    assert state.record.rolled_back == ()
    assert state.rollback_of("plans") is None


def test_snapshot_tells_workers_everything(state: RoutingState) -> None:
    """Workers are told version, rules, what is rolled back, and the kill switch."""
    snapshot = state.with_rollback("plans", because(), 600.0).snapshot
    assert (snapshot.version, snapshot.rolled_back, snapshot.kill_switch) == (
        2, frozenset({"plans"}), False,
    )  # fmt: skip
    assert snapshot.weight("plans") == 0
    assert snapshot.weight("subscriptions") == 5000


def test_weight_in_force_and_phase(state: RoutingState) -> None:
    """Rollback and kill switch put the weight in force to 0, whatever the rules say."""
    route = state.loaded.rules.routes[0]
    assert (state.weight_in_force(route), state.phase_of(route)) == (1000, Phase.CANARY)
    back = state.with_rollback("plans", because(), 600.0)
    assert (back.weight_in_force(route), back.phase_of(route)) == (0, Phase.ROLLED_BACK)
    killed = state.with_kill_switch(because(), on=True)
    assert (killed.weight_in_force(route), killed.phase_of(route)) == (0, Phase.CANARY)
    cohort = Cohort("staff", Side.MODERN, "header:x-group", ("staff",))
    assert state.phase_of(replace(route, weight=0, cohorts=(cohort,))) is Phase.CANARY


def test_cooldown_doubles_only_for_detectors(state: RoutingState) -> None:
    """What an operator takes back may be resumed at once, and does not lengthen the next wait."""
    by_hand = state.with_rollback("plans", because(1000.0), None)
    rollback = by_hand.record.rollbacks["plans"]
    assert (rollback.cooldown_until, rollback.times) == (1000.0, 0)
    again = by_hand.with_resume("plans", loaded(), because(1001.0))
    automatic = again.with_rollback("plans", because(1002.0), 600.0).record.rollbacks["plans"]
    assert (automatic.cooldown_until, automatic.times) == (1602.0, 1)


def test_cooldown_does_not_grow_for_ever(state: RoutingState) -> None:
    """A route that falls over every minute for a day waits weeks, not centuries."""
    for turn in range(40):
        state = state.with_rollback("plans", because(1000.0 + turn), 600.0)
    assert state.record.rollbacks["plans"].cooldown_until < 1000.0 + 40 + 600 * 2**10 + 1


def test_a_deployment_begins_every_step_anew(state: RoutingState) -> None:
    """Where routes stand stays; what was seen there is about another program."""
    state = state.with_hold("plans", because())
    deployed = state.with_deployment(because())
    progress = deployed.progress_of("plans")
    assert (progress.entered, progress.held) == (3, because().hand)
    assert "everything-else" not in deployed.record.progress


def test_said_once_more_under_a_higher_number(state: RoutingState) -> None:
    """A state can be repeated under a number above one that got lost."""
    repeated = state.with_rollback("plans", because(), 600.0).after(9, because())
    assert (repeated.record.number, repeated.record.parent) == (10, 2)
    assert repeated.record.rolled_back == ("plans",)
    assert state.after(0, because()).record.number == 2


def test_halted_writes_are_resumed_under_another_epoch(state: RoutingState) -> None:
    """What was acknowledged before no longer counts; routing itself is untouched."""
    halted = state.with_writes_halted("plans", because(1000.0))
    assert halted.snapshot.halted_writes == frozenset({"plans"})
    halt = halted.write_halt_of("plans")
    assert halt is not None
    assert (halt.at, halt.author, halt.reason, halt.evidence) == (1000.0, "me", "so", {"n": 1})
    assert halted.snapshot.rolled_back == state.snapshot.rolled_back
    resumed = halted.with_writes_resumed("plans", because(1001.0))
    assert resumed.write_halt_of("plans") is None
    assert resumed.snapshot.halted_writes == frozenset()
    assert resumed.snapshot.write_epochs == {"plans": 3}
    again = resumed.with_writes_halted("plans", because(1002.0))
    assert (again.write_epoch_of("plans"), again.snapshot.write_epochs) == (3, {"plans": 3})
    assert again.with_writes_resumed("plans", because()).write_epoch_of("plans") == 5


def test_an_edit_of_the_rules_resumes_no_writes(state: RoutingState) -> None:
    """Somebody must say that modern is mended."""
    halted = state.with_writes_halted("plans", because())
    assert halted.with_rules(loaded(), because()).write_halt_of("plans") is not None
