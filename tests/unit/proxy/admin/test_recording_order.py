from __future__ import annotations

import json
from typing import Any

import pytest

from proxy.admin.problems import ProblemError
from proxy.admin.recording_order import order_of, read_order

CHANGE = {"author": "ada", "reason": "a test"}
AT = 1_796_126_400.0  # 2026-12-01 12:00


def read(**members: Any) -> Any:
    """Read an order of these members."""
    return read_order(json.dumps({**CHANGE, **members}).encode())


def test_what_is_not_said_is_usual() -> None:
    """Everything, for ten minutes, of 256 MiB."""
    order = order_of(read(), ["plans"], AT)
    assert (order.routes, order.share) == ((), 1.0)
    assert (order.until - order.at, order.size) == (600, 2**28)
    assert (order.author, order.reason) == ("ada", "a test")


def test_an_order_says_which_how_long_and_how_much() -> None:
    """The share as weights are written."""
    wanted = read(routes=["plans"], share="12.5%", seconds=7200, bytes=2**30)
    order = order_of(wanted, ["plans", "users"], AT)
    assert order.id == "20261201T120000Z"
    assert (order.routes, order.share, order.size) == (("plans",), 0.125, 2**30)
    assert order.until == AT + 7200


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"share": 0}, "share: is 0%"),
        ({"share": "101%"}, "share: is not a percentage"),
        ({"seconds": 0}, "seconds: is not a whole number from 1 to 604800"),
        ({"seconds": 604_801}, "seconds: is not"),
        ({"seconds": True}, "seconds: is not"),
        ({"bytes": 1.5}, "bytes: is not"),
        ({"routes": "plans"}, "routes: must be a list"),
        ({"until": 5}, "until: is not a member"),
        ({"reason": " "}, "reason: is empty"),
    ],
)
def test_what_is_no_order_is_refused(members: dict[str, Any], said: str) -> None:
    """With what is wrong, and where."""
    with pytest.raises(ProblemError, match=said):
        read(**members)


def test_a_route_that_there_is_not_is_refused() -> None:
    """With the one that was meant, perhaps."""
    with pytest.raises(ProblemError, match="There is no route 'plan'") as caught:
        order_of(read(routes=["plan"]), ["plans", "users"], AT)
    assert caught.value.problem.mend == "Did you mean plans?"
