from __future__ import annotations

from datetime import date

import pytest

from proxy.admin.accepting import entry_of
from proxy.admin.problems import ProblemError
from proxy.admin.schemas import Adoption
from shadow_compare.report import Proposal

NOISY = Proposal("plans", "ignore", "$.at", {"path": "$.at", "reason": "noise"}, "why")
PAIRED = Proposal("plans", "correspond", "$.id", {"path": "$.id"}, "why")


def adoption(owner: str = "", until: date | None = None) -> Adoption:
    """Say that a proposal becomes a rule."""
    return Adoption("ada", "because", owner, until)


def test_an_ignore_rule_of_a_proposal_is_a_persons() -> None:
    """With the reason given, the owner and the end; other rules have only what they say."""
    found = entry_of(NOISY, adoption("billing", date(2027, 3, 1)), date(2027, 3, 1))
    assert found == {
        "path": "$.at",
        "reason": "because",
        "owner": "billing",
        "until": "2027-03-01",
    }
    assert entry_of(PAIRED, adoption(), date(2027, 3, 1)) == {"path": "$.id"}


@pytest.mark.parametrize(
    ("proposal", "wanted"),
    [
        (NOISY, adoption()),
        (NOISY, adoption(until=date(2027, 2, 28))),
        (PAIRED, adoption(until=date(2028, 1, 1))),
        (PAIRED, adoption("billing")),
    ],
)
def test_an_end_is_asked_for_where_there_is_one(proposal: Proposal, wanted: Adoption) -> None:
    """Of ignore rules, and a day to come; of nothing else."""
    with pytest.raises(ProblemError):
        entry_of(proposal, wanted, date(2027, 3, 1))
