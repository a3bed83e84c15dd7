from __future__ import annotations

import pytest

from bench.rollback import noticeable
from bench.rollback.sides import Trouble


@pytest.mark.parametrize(
    ("mirror", "found"),
    [
        ("100%", (Trouble.DEAD, Trouble.WRONG)),
        ("0.5%", (Trouble.DEAD, Trouble.WRONG)),
        ("0%", (Trouble.DEAD,)),
    ],
)
def test_a_wrong_answer_shows_only_where_answers_are_compared(
    mirror: str, found: tuple[Trouble, ...]
) -> None:
    """Else the bench would wait for a rollback that never comes."""
    assert noticeable((Trouble.DEAD, Trouble.WRONG), mirror) == found
