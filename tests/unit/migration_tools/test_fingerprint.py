from hypothesis import given
from hypothesis import strategies as st

from migration_tools.fingerprint import (
    EMPTY,
    FAN_OUT,
    Fingerprint,
    KeyRange,
    Suspect,
    bucket_width,
    fingerprint_row,
    fold,
    spell_row,
    suspects,
)

fields = st.lists(st.none() | st.text("a1:~", max_size=3), max_size=4)
Rows = dict[int, tuple[str, str]]
tables = st.dictionaries(st.integers(-50, 5000), st.sampled_from("abc"), max_size=60).map(
    lambda values: {key: (str(key), value) for key, value in values.items()}
)


def test_spelling_of_a_row() -> None:
    """Every field carries its length, and null is neither empty nor any text."""
    assert spell_row(["7", "Åsa", "", None]) == "1:73:Åsa0:~"


@given(fields, fields)
def test_no_two_rows_share_a_spelling(one: list[str | None], other: list[str | None]) -> None:
    """Different rows have different spellings, however their fields look."""
    assert (spell_row(one) == spell_row(other)) == (one == other)


def test_fingerprint_of_a_row_is_for_ever() -> None:
    """The digest is the MD5 of the spelling, in two halves of 60 bits."""
    expected = Fingerprint(1, 0xDEA3CFCB1DB309C, 0xEF6E407F63EA5CD)
    assert fingerprint_row(["7", "Åsa", "", None]) == expected


@given(st.permutations(range(6)))
def test_order_does_not_matter(order: list[int]) -> None:
    """A fingerprint depends on the rows, not on the order in which they come."""
    keys = KeyRange(0, 5)
    rows = [(key, (str(key),)) for key in order]
    assert fold(rows, keys, 6) == fold(sorted(rows), keys, 6)


def test_repeated_row_counts() -> None:
    """Two equal rows are not the same as none, which an exclusive-or would say."""
    row = fingerprint_row(["x"])
    assert row + row != EMPTY


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**32))
def test_buckets_cover_the_range(first: int, more: int) -> None:
    """A range is cut into at most FAN_OUT buckets, and a small one into single keys."""
    keys = KeyRange(first, first + more)
    width = bucket_width(keys)
    assert (keys.last - keys.first) // width < FAN_OUT
    assert width == 1 or more + 1 > FAN_OUT


@given(tables, tables)
def test_bisection_finds_exactly_the_rows_that_differ(source: Rows, target: Rows) -> None:
    """Cutting suspects until they are single keys yields the symmetric difference, in order."""
    everything = sorted(source.keys() | target.keys())
    if not everything:
        return
    found = _search(KeyRange(everything[0], everything[-1]), source, target)
    assert found == [key for key in everything if source.get(key) != target.get(key)]


def test_suspect_is_small() -> None:
    """A range is laid side by side when it holds few rows, or cannot be cut any further."""
    assert Suspect(KeyRange(1, 10**9), 256).is_small
    assert not Suspect(KeyRange(1, 10**9), 257).is_small
    assert Suspect(KeyRange(4, 4), 10**9).is_small


def test_last_bucket_ends_with_the_range() -> None:
    """A suspect never reaches beyond the range that was asked for."""
    keys = KeyRange(1, 100)
    width = bucket_width(keys)
    (suspect,) = suspects(keys, width, {49: EMPTY + fingerprint_row(["x"])}, {})
    assert suspect == Suspect(KeyRange(99, 100), 1)


def _search(keys: KeyRange, source: Rows, target: Rows) -> list[int]:
    width = bucket_width(keys)
    here, there = (
        fold(((k, v) for k, v in side.items() if k in keys), keys, width)
        for side in (source, target)
    )
    found: list[int] = []
    for suspect in suspects(keys, width, here, there):
        single = suspect.keys.first == suspect.keys.last
        found += [suspect.keys.first] if single else _search(suspect.keys, source, target)
    return found
