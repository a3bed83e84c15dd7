from __future__ import annotations

from proxy.wire.memory import Remembered


def test_what_is_asked_for_again_is_kept() -> None:
    """A key is computed twice, the second time to be kept; what comes once leaves nothing."""
    calls: list[bytes] = []

    def compute(key: bytes) -> int:
        calls.append(key)
        return len(key)

    memory = Remembered(compute)
    assert [memory[key] for key in (b"a", b"bb", b"a", b"a", b"a")] == [1, 2, 1, 1, 1]
    assert calls == [b"a", b"bb", b"a"]
    assert b"a" in memory
    assert b"bb" not in memory
    assert len(memory) == 1


def test_it_is_bounded() -> None:
    """The oldest makes room for the newest, and a long key never gets into it."""
    memory = Remembered(len, keep=3, longest=5)
    for number in range(10):
        for _ in range(2):
            assert memory[b"%d" % number] == 1
        kept = [each for each in range(10) if b"%d" % each in memory]
        assert kept == list(range(max(0, number - 2), number + 1))
        assert len(memory) == len(kept)
    for _ in range(2):
        assert memory[b"x" * 6] == 6
    assert b"x" * 6 not in memory


def test_nothing_is_kept_of_no_result() -> None:
    """None is no result: it is computed each time."""
    memory: Remembered[None] = Remembered(lambda _: None)
    for _ in range(3):
        assert memory[b"a"] is None
    assert len(memory) == 0


def test_strangers_are_told_from_guests() -> None:
    """Of ten thousand that come once, next to none is kept; of twenty that come again, most."""
    memory = Remembered(len)
    for number in range(10_000):
        assert memory[b"stranger %d" % number]
    assert len(memory) < 20
    memory.clear()
    for number in (*range(20), *range(20)):
        assert memory[b"guest %d" % number]
    # Those who share a slot are not known again: a pair in one run of twenty, never half of them.
    assert sum(b"guest %d" % number in memory for number in range(20)) > 10


def test_it_can_forget() -> None:
    """After it everything is new."""
    memory = Remembered(len)
    for _ in range(2):
        assert memory[b"a"] == 1
    memory.clear()
    assert b"a" not in memory
    assert memory[b"a"] == 1
    assert b"a" not in memory
