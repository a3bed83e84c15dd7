"""Which share of the users an identity belongs to."""

from __future__ import annotations

from xxhash import xxh3_64_intdigest

BUCKETS = 10_000


def bucket_of(salt: bytes, identity: bytes) -> int:
    """Bucket 0..9999 of an identity: `xxh3_64(salt || identity) % 10000`.

    Golden vectors in the tests pin this function for ever: another one would move every user.
    """
    return xxh3_64_intdigest(salt + identity) % BUCKETS


def is_chosen(bucket: int, weight: int) -> bool:
    """Whether modern serves this bucket at this weight (hundredths of a percent).

    Raising the weight only adds buckets and lowering it only removes them.
    """
    return bucket < weight
