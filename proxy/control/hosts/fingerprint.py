"""Whether two hosts have the same keys, told by digests from which no key can be found (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

FIRST: Final = "mint.key"
"""The key that is random on every host: it guards the digests of those that people may choose."""

_SIZE: Final = 8


def fingerprint(keys: Mapping[str, bytes]) -> str:
    """Give a digest of each key by the name of its file; `FIRST` must be among them.

    The others are keyed by the first, so whoever reads them cannot try words for an operator's own
    `shadow.key`. So they can be compared only where the first is the same.
    """
    guard = blake2b(keys[FIRST], person=b"cutover guard").digest()
    told = {
        name: blake2b(value, key=guard, digest_size=_SIZE, person=b"cutover key").hexdigest()
        for name, value in keys.items()
    }
    return ",".join(f"{name}={digest}" for name, digest in told.items())


def differing(ours: str, theirs: str) -> tuple[str, ...]:
    """Name the keys that are not the same, the first alone if it is not.

    Empty as well when one of them comes from a program that tells another kind of fingerprint.
    """
    mine, others = _read(ours), _read(theirs)
    if FIRST not in mine or FIRST not in others:
        return ()
    if mine[FIRST] != others[FIRST]:
        return (FIRST,)
    return tuple(name for name in mine if name in others and mine[name] != others[name])


def _read(told: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in told.split(","))
    return {name: digest for name, equals, digest in pairs if equals}
