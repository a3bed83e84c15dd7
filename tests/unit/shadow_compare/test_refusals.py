from __future__ import annotations

import pytest

from shadow_compare.refusals import IN_A_ROW, PAUSE, Refusals

JUST = 0.001


def played(script: str) -> str:
    """Play a script for one instance; gives what was answered to each question.

    `?` asks whether to try: `y` or `n`. `x` is a refused connection, `X` as many as are needed, `o`
    one that was made, `.` a pause that has just not passed, `:` one that has.
    """
    refusals, now, said = Refusals(), 100.0, ""
    for step in script:
        if step == "?":
            spares = refusals.spares("one", now)
            said += "y" if refusals.may_try("one", now) else "n"
            assert spares is said.endswith("n")
        elif step in "xX":
            for _ in range(IN_A_ROW if step == "X" else 1):
                refusals.refused("one", now)
        elif step == "o":
            refusals.connected("one")
        else:
            now += PAUSE + (JUST if step == ":" else -JUST)
    return said


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("?" + "x?" * (IN_A_ROW - 1), "y" * IN_A_ROW),
        ("x" * IN_A_ROW + "?", "n"),
        ("X??", "nn"),
        ("X.?", "n"),
        ("X:??", "yn"),
        ("X:?x.?", "yn"),
        ("X:?x:??", "yyn"),
        ("X:?:?", "yy"),
        ("X:?o???", "yyyy"),
        ("X:?ox?x?", "yyy"),
        ("x" * (IN_A_ROW - 1) + "o" + "x" * (IN_A_ROW - 1) + "?", "y"),
        ("Xxxxx?:?", "ny"),
    ],
)
def test_one_that_refuses_is_tried_now_and_then(script: str, said: str) -> None:
    """A row of them begins it, one try for each pause keeps it up, a connection ends it."""
    assert played(script) == said


def test_each_instance_is_its_own() -> None:
    """That one refuses says nothing of another."""
    refusals = Refusals()
    for _ in range(IN_A_ROW):
        refusals.refused("one", 0.0)
    assert not refusals.may_try("one", 0.0)
    assert refusals.may_try("another", 0.0)
