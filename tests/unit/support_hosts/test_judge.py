"""Of a good record nothing is found, and of a bad one what is bad about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support_hosts.judge import RULES, judge
from tests.support_hosts.record import (
    Act,
    Command,
    Excuse,
    Failure,
    Promise,
    Published,
    Record,
    Routing,
    Seen,
)

Spoil = Callable[[Record], None]

RAISE = Command("command 1", Act.SET_WEIGHT, "orders", 5000)
BACK = Command("command 2", Act.ROLLBACK, "orders")
ON = Command("command 3", Act.KILL)
OFF = Command("command 4", Act.UNKILL)
AGAIN = Command("command 5", Act.RESUME, "orders", 2000)

FIRST = Routing({"orders": 1000, "rest": 0})
RAISED = Routing({"orders": 5000, "rest": 0})
ROLLED_BACK = replace(RAISED, rolled_back=frozenset({"orders"}))
KILLED = replace(ROLLED_BACK, killed=True)
RESUMED = Routing({"orders": 2000, "rest": 0})
BROKEN = replace(RESUMED, rolled_back=frozenset({"orders"}))


def seen(turn: int, version: int, worker: int = 1, decided: str = "legacy") -> Seen:
    """One request of bucket 1500 for the orders, on the first host."""
    return Seen(100.0 + turn, "one", worker, turn, version, "orders", 1500, decided)


def good_record() -> Record:
    """A rollback, the kill switch on and off, and a resume, with one change of the writer."""
    return Record(
        published=[
            Published(1, 0, "file", "first start", FIRST, 1, "one"),
            Published(2, 1, "ada", RAISE.reason, RAISED, 1, "one"),
            Published(3, 2, "ada", BACK.reason, ROLLED_BACK, 1, "one"),
            Published(4, 3, "ada", ON.reason, KILLED, 2, "two"),
            Published(5, 4, "ada", OFF.reason, ROLLED_BACK, 2, "two"),
            Published(6, 5, "ada", AGAIN.reason, RESUMED, 2, "two"),
            Published(7, 6, "cutover", "errors", BROKEN, 2, "two"),
        ],
        seen=[
            seen(1, 1),
            seen(2, 2, decided="modern"),
            seen(3, 2, worker=2, decided="modern"),
            seen(4, 3),
            seen(5, 3, worker=2),
            seen(6, 5, worker=3),
            seen(7, 5),
            seen(8, 6, decided="modern"),
            seen(9, 7),
            replace(seen(1, 1), host="two"),
        ],
        commands=[RAISE, BACK, ON, OFF, AGAIN],
        promises=[
            Promise(RAISE, 101.0, 101.1, 2, "one"),
            Promise(BACK, 103.0, 103.1, 3, "one"),
            Promise(ON, 104.0, 104.1, 4, "two"),
            Promise(AGAIN, 107.0, 107.1, 6, "two"),
        ],
        failures=[Failure(105.0, 105.2, "one", "reset")],
        excuses=[Excuse("one", 104.9, 105.1, "it was killed")],
    )  # fmt: skip


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    """A rollback that a person has resumed, and a failure that is excused, are none."""
    assert judge(good_record()) == []


def publish(place: int, **changes: object) -> Spoil:
    """Change a version."""

    def spoil(record: Record) -> None:
        record.published[place] = replace(record.published[place], **changes)  # type: ignore[arg-type] # as the test says

    return spoil


def see(*more: Seen) -> Spoil:
    """Have more been seen."""
    return lambda record: record.seen.extend(more)


def promise(place: int, **changes: object) -> Spoil:
    """Change a promise."""

    def spoil(record: Record) -> None:
        record.promises[place] = replace(record.promises[place], **changes)  # type: ignore[arg-type] # as the test says

    return spoil


BAD: list[tuple[str, Spoil, str]] = [
    ("unpublished", see(seen(10, 9)), "worker 1 of one at 110.000 served by version 9"),
    ("gone_back", see(seen(10, 3)), "from version 7 to 3"),
    ("gone_back_between_lives", see(seen(10, 2, 4, "modern")), "worker 4 of one at 110.000 began"),
    ("split", see(seen(10, 7, decided="modern")), "bucket 1500 of orders to modern by version 7"),
    ("split", see(replace(seen(10, 7), bucket=None, decided="modern")), "has 0%"),
    ("split", see(replace(seen(1, 2, 9), bucket=None)), "which has 50%"),
    ("undone", see(seen(10, 3, 8, "modern")), "after rollback was acknowledged as version 3"),
    ("undone", see(replace(seen(10, 4, 8, "modern"), route="rest")), "after kill was acknowledged"),
    ("broken_chain", publish(5, parent=4), "version 6 was made upon 4, not upon 5"),
    ("unexplained", publish(4, reason="the file was edited"), "version 5 by ada (the file was edi"),
    ("unexplained", publish(6, author="file"), "version 7 by file"),
    ("unexplained", publish(1, routing=replace(RAISED, killed=True)), "version 2 by ada"),
    ("lost", promise(1, version=8), "acknowledged as version 8: not in store"),
    ("lost", promise(1, version=2), "was acknowledged, and version 2 is"),
    ("out_of_order", promise(2, version=2), "came after"),
    ("two_writers", publish(2, writer="two"), "one and two have both written by token 1"),
    ("two_writers", publish(5, token=1, writer="one"), "version 6 was written by token 1 after 2"),
    (
        "changed_afterwards",
        lambda record: record.published.append(replace(record.published[2], author="eve")),
        "is Published(number=3",
    ),
    ("hurt", lambda record: record.excuses.clear(), "a client of one at 105.000: reset"),
    (
        "hurt",
        lambda record: record.failures.append(Failure(105.0, 105.2, "two", "HTTP 502")),
        "a client of two at 105.000: HTTP 502",
    ),
]


@pytest.mark.parametrize(("rule", "spoil", "words"), BAD)
def test_every_kind_of_violation_is_found(rule: str, spoil: Spoil, words: str) -> None:
    """The rule it breaks names it."""
    record = good_record()
    spoil(record)
    found = [each for each in judge(record) if each.startswith(f"{rule}: ")]
    assert any(words in each for each in found), found


def test_every_rule_has_been_broken() -> None:
    """No rule is there that has never found anything."""
    assert {rule for rule, _, _ in BAD} == {rule.__name__ for rule in RULES}


def test_a_resume_that_nobody_has_acknowledged_may_be_in_force() -> None:
    """Whoever asked for it has got no answer, and it was done all the same."""
    record = good_record()
    record.promises = [each for each in record.promises if each.command is not AGAIN]
    assert judge(record) == []


def test_a_new_round_remembers_where_every_worker_was() -> None:
    """So that going back is noticed from one round to the next."""
    record = good_record()
    record.begin_round()
    assert len(record.seen) == 4
    see(seen(10, 2, 2, "modern"))(record)
    assert [each.partition(":")[0] for each in judge(record)] == ["gone_back"]
