from __future__ import annotations

import pytest

from proxy.bootstrap.keys import Keys

KEYS = Keys(b"m" * 32, b"o" * 32, b"w" * 32)


@pytest.mark.parametrize(
    "other",
    [
        Keys(b"x" * 32, b"o" * 32, b"w" * 32),
        Keys(b"m" * 32, b"x" * 32, b"w" * 32),
        Keys(b"m" * 32, b"o" * 32, b"x" * 32),
        Keys(b"o" * 32, b"m" * 32, b"w" * 32),
        Keys(b"m" * 33, b"o" * 31, b"w" * 32),
    ],
)
def test_hosts_tell_other_keys_apart_without_showing_them(other: Keys) -> None:
    """The digest is the same for the same keys in the same places, and for no others."""
    assert KEYS.digest == Keys(b"m" * 32, b"o" * 32, b"w" * 32).digest
    assert KEYS.digest != other.digest
    assert len(KEYS.digest) == 16
