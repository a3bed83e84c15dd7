from __future__ import annotations

from shadow_compare.tally import Count, Tally


def test_counts_are_told_once_summed() -> None:
    """Equal endings are told as one count, and not a second time."""
    told: list[list[Count]] = []
    tally = Tally(told.append, lambda _error: None)
    for _ in range(3):
        tally.count("plans", "legacy", "match", "")
    tally.count("plans", "legacy", "mismatch", "", critical=True)
    tally.tell()
    tally.tell()
    assert told == [
        [
            ("plans", "legacy", "match", "", False, 3),
            ("plans", "legacy", "mismatch", "", True, 1),
        ]
    ]


def test_failure_of_the_listener_is_handed_over() -> None:
    """Whoever cannot listen does not stop the counting."""
    failures: list[Exception] = []

    def listener(_counts: list[Count]) -> None:
        raise RuntimeError("not now")

    tally = Tally(listener, failures.append)
    tally.count("plans", "legacy", "match", "")
    tally.tell()
    assert [str(each) for each in failures] == ["not now"]
