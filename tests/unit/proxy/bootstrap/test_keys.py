from __future__ import annotations

from proxy.bootstrap.keys import Keys


def test_a_fingerprint_tells_of_all_keys() -> None:
    """Each has a name and a digest, and no key shows in it, neither raw nor in hexadecimal."""
    keys = Keys(b"m" * 32, b"o" * 32, b"a word of an operator", b"r" * 32)
    told = dict(part.split("=") for part in keys.fingerprint.split(","))
    assert list(told) == ["mint.key", "override.key", "shadow.key", "redaction.key"]
    assert len(set(told.values())) == 4
    for key in (keys.mint, keys.override, keys.write, keys.redaction):
        assert key.decode() not in keys.fingerprint
        assert key.hex() not in keys.fingerprint
