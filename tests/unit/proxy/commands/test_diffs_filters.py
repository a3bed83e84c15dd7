from __future__ import annotations

from proxy.commands import diffs_filters
from shadow_compare.report import KINDS, State


def test_every_kind_and_state_can_be_named() -> None:
    """The command line spells them out so that it need not import the comparison."""
    assert diffs_filters.KINDS == KINDS
    assert tuple(State) == diffs_filters.STATES
