from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from migration_tools.fingerprint import FEW_ROWS, Fingerprint, KeyRange, fold
from migration_tools.mapping import USERS, Table
from migration_tools.report import (
    NOT_SHOWN,
    ChangedRow,
    ColumnDifference,
    ExtraRow,
    MissingRow,
    MoneySum,
    TableVerification,
)
from migration_tools.sides import Rows
from migration_tools.verify import compare_rows, verify_table

WIDTH = len(USERS.columns)


@dataclass
class MemorySide:
    """A side whose table is a dictionary, and which remembers the ranges it was asked for."""

    held: Rows
    sums: Mapping[str, int] = field(default_factory=dict)
    fetched: list[KeyRange] = field(default_factory=list)

    async def bounds(self, _table: Table) -> KeyRange | None:
        """Return the lowest and highest key held."""
        return KeyRange(min(self.held), max(self.held)) if self.held else None

    async def buckets(self, _table: Table, keys: KeyRange, width: int) -> Mapping[int, Fingerprint]:
        """Return the fingerprints as a database would."""
        return fold(((k, row) for k, row in self.held.items() if k in keys), keys, width)

    async def rows(self, _table: Table, keys: KeyRange) -> Rows:
        """Return the rows, and remember the range."""
        self.fetched.append(keys)
        return {key: row for key, row in self.held.items() if key in keys}

    async def money(self, _table: Table) -> Mapping[str, int]:
        """Return the sums it was given."""
        return self.sums


def users(*keys: int, **changed: str) -> Rows:
    """Return rows of users in which every field is the key, or what `changed` says."""
    return {
        key: tuple(changed.get(column.target, str(key)) for column in USERS.columns) for key in keys
    }


async def test_equal_tables_are_not_fetched() -> None:
    """When the fingerprints agree, no row crosses the wire."""
    source, target = MemorySide(users(*range(2000))), MemorySide(users(*range(2000)))
    found = await verify_table(USERS, source, target)
    assert found.equal
    assert found.source.rows == 2000
    assert found.differences == ()
    assert source.fetched == target.fetched == []


async def test_two_empty_tables_are_equal() -> None:
    """Nothing on both sides is equal."""
    assert (await verify_table(USERS, MemorySide({}), MemorySide({}))) == TableVerification("users")


async def test_one_empty_table() -> None:
    """A target that holds nothing misses every row, and only so many are named."""
    found = await verify_table(USERS, MemorySide(users(*range(1, 1001))), MemorySide({}), limit=3)
    assert not found.equal
    assert found.differences == (MissingRow(1), MissingRow(2), MissingRow(3))
    assert found.not_searched[0].first == 4
    assert found.not_searched[-1].last == 1000


async def test_one_changed_row_among_many() -> None:
    """A changed field is found by cutting ranges; only a few rows around it are fetched."""
    rows = users(*range(100_000))
    source, target = MemorySide(rows), MemorySide(rows | users(77_777, country="FR"))
    found = await verify_table(USERS, source, target)
    expected = ChangedRow(77_777, (ColumnDifference("country", "77777", "FR"),))
    assert found.differences == (expected,)
    (fetched,) = source.fetched
    assert fetched.last - fetched.first < FEW_ROWS


async def test_same_rows_under_other_keys() -> None:
    """A row that moved to another key is one missing and one extra row."""
    found = await verify_table(USERS, MemorySide(users(1, 2)), MemorySide(users(1, 3)))
    assert found.differences == (MissingRow(2), ExtraRow(3))


async def test_money_alone_can_differ() -> None:
    """Sums that disagree make a table unequal, a currency on one side only included."""
    source = MemorySide(users(1), {"EUR": 990, "USD": 100})
    target = MemorySide(users(1), {"EUR": 991})
    found = await verify_table(USERS, source, target)
    assert found.money == (MoneySum("EUR", 990, 991), MoneySum("USD", 100, 0))
    assert not found.equal


def test_secret_values_are_not_shown() -> None:
    """That a password hash differs is told, what it is is not."""
    (changed,) = compare_rows(USERS, users(1), users(1, password_hash="$2y$…"))
    assert changed == ChangedRow(1, (ColumnDifference("password_hash", NOT_SHOWN, NOT_SHOWN),))


keys = st.sets(st.integers(1, 3000), max_size=40)


@given(keys, keys, keys)
async def test_found_differences_are_all_there_are(
    missing: set[int], extra: set[int], changed: set[int]
) -> None:
    """Whatever was done to the target, verification names exactly that."""
    rows = users(*range(1, 3001))
    target = {k: row for k, row in rows.items() if k not in missing}
    target |= users(*(changed - missing), name="another") | users(*(k + 5000 for k in extra))
    found = await verify_table(USERS, MemorySide(rows), MemorySide(target), limit=1000)
    assert found.not_searched == ()
    named = {(type(difference), difference.key) for difference in found.differences}
    assert named == (
        {(MissingRow, key) for key in missing}
        | {(ExtraRow, key + 5000) for key in extra}
        | {(ChangedRow, key) for key in changed - missing}
    )
    assert found.equal == (not named)
