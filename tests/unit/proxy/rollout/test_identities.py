from __future__ import annotations

from proxy.rollout.identities import IDENTITIES_MAX, FirstPerIdentity


def test_once_in_ten_seconds() -> None:
    """A customer in a retry loop counts once in 10 s, another customer at once."""
    first = FirstPerIdentity()
    admitted = [(at, first.admit(1, at)) for at in (0.0, 0.1, 9.9, 10.0, 10.1, 20.1)]
    assert [at for at, counted in admitted if counted] == [0.0, 10.0, 20.1]
    assert first.admit(2, 0.1) is True


def test_memory_is_bounded() -> None:
    """Even a flood of identities at one moment does not grow for ever."""
    first = FirstPerIdentity()
    for identity in range(2 * IDENTITIES_MAX + 5):
        assert first.admit(identity, 1.0)
    assert len(first._counted) <= IDENTITIES_MAX
    assert first.admit(2 * IDENTITIES_MAX + 4, 1.0) is False
