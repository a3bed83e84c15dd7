"""Whether two sets of rows are equal, and if not, in which keys (pure).

A row is spelled as one text, every field with its length in front so that no two rows share a
spelling. Its digest is the row's; the digests of a range of keys are *summed*, so a fingerprint
depends on which rows there are and not on the order in which a database hands them out, and both
databases can compute it by themselves. Sums also add up: the fingerprint of a table is that of its
ranges together. A range that disagrees is cut into smaller ones until few enough rows are left to
be laid side by side.

MD5 is what MySQL and PostgreSQL have in common. It guards against accidents here, not against
someone who forges rows.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

NULL = "~"
FAN_OUT = 64  # ranges per cut: one query answers them all, so wide cuts save round trips
FEW_ROWS = 256  # below this, fetching the rows is cheaper than another cut

Spelled = str | None


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """How many rows, and the two sums of their digests' halves."""

    rows: int = 0
    high: int = 0
    low: int = 0

    def __add__(self, other: "Fingerprint") -> "Fingerprint":
        return Fingerprint(self.rows + other.rows, self.high + other.high, self.low + other.low)

    def __str__(self) -> str:
        return f"{self.high % 2**64:016x}{self.low % 2**64:016x}"


EMPTY = Fingerprint()


@dataclass(frozen=True, slots=True)
class KeyRange:
    """The keys from `first` to `last`, both included."""

    first: int
    last: int

    def __contains__(self, key: int) -> bool:
        return self.first <= key <= self.last

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"


def spell_row(fields: Iterable[Spelled]) -> str:
    """Return the one text of a row, as `spelling` makes it in SQL."""
    return "".join(NULL if field is None else f"{len(field)}:{field}" for field in fields)


def fingerprint_row(fields: Iterable[Spelled]) -> Fingerprint:
    """Return the fingerprint of one row: 60 bits each of its digest's halves, as SQL sums them."""
    digest = hashlib.md5(spell_row(fields).encode(), usedforsecurity=False).hexdigest()
    return Fingerprint(1, int(digest[:15], 16), int(digest[16:31], 16))


def bucket_width(keys: KeyRange) -> int:
    """Return how many keys each of at most FAN_OUT buckets of a range covers."""
    return max(1, -(-(keys.last - keys.first + 1) // FAN_OUT))


def fold(
    rows: Iterable[tuple[int, Sequence[Spelled]]], keys: KeyRange, width: int
) -> dict[int, Fingerprint]:
    """Return the fingerprint per bucket of (key, fields) rows, as the databases group them.

    The key must be among the fields too: else two rows that swap keys would not be seen.
    """
    buckets: dict[int, Fingerprint] = {}
    for key, fields in rows:
        bucket = (key - keys.first) // width
        buckets[bucket] = buckets.get(bucket, EMPTY) + fingerprint_row(fields)
    return buckets


@dataclass(frozen=True, slots=True)
class Suspect:
    """A range of keys in which the two sides disagree, and the rows of the larger side in it."""

    keys: KeyRange
    rows: int

    @property
    def is_small(self) -> bool:
        """Whether it is time to lay the rows side by side."""
        return self.rows <= FEW_ROWS or self.keys.first == self.keys.last


def suspects(
    keys: KeyRange,
    width: int,
    source: Mapping[int, Fingerprint],
    target: Mapping[int, Fingerprint],
) -> list[Suspect]:
    """Return the buckets in which the two sides disagree, lowest keys first."""
    found = []
    for bucket in sorted(source.keys() | target.keys()):
        ours, theirs = source.get(bucket, EMPTY), target.get(bucket, EMPTY)
        if ours != theirs:
            first = keys.first + bucket * width
            inside = KeyRange(first, min(first + width - 1, keys.last))
            found.append(Suspect(inside, max(ours.rows, theirs.rows)))
    return found
