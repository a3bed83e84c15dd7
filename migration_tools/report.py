"""What a copy and a verification found, as values, as text for people and as JSON (pure)."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from migration_tools.fingerprint import EMPTY, Fingerprint, KeyRange, Spelled

NOT_SHOWN = "(differs, not shown)"


@dataclass(frozen=True, slots=True)
class ColumnDifference:
    """One column in which two rows with the same key disagree."""

    column: str
    source: Spelled
    target: Spelled

    def __str__(self) -> str:
        source, target = _show(self.source), _show(self.target)
        return f"{self.column} is {source} in the source and {target} in the target"


@dataclass(frozen=True, slots=True)
class MissingRow:
    """The source has this key, the target has not."""

    key: int

    def __str__(self) -> str:
        return f"row {self.key} is missing in the target"


@dataclass(frozen=True, slots=True)
class ExtraRow:
    """The target has this key, the source has not (or its row was quarantined)."""

    key: int

    def __str__(self) -> str:
        return f"row {self.key} is in the target only"


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """Both sides have this key, with different values."""

    key: int
    columns: tuple[ColumnDifference, ...]

    def __str__(self) -> str:
        return f"row {self.key} differs: " + "; ".join(map(str, self.columns))


Difference = MissingRow | ExtraRow | ChangedRow


@dataclass(frozen=True, slots=True)
class MoneySum:
    """The sum of a table's amounts in one currency, in hundredths, on both sides."""

    currency: str
    source: int
    target: int


@dataclass(frozen=True, slots=True)
class TableVerification:
    """What the two sides hold of one table; quarantined rows are left out of `source`."""

    table: str
    source: Fingerprint = EMPTY
    target: Fingerprint = EMPTY
    quarantined: int = 0
    money: tuple[MoneySum, ...] = ()
    differences: tuple[Difference, ...] = ()
    not_searched: tuple[KeyRange, ...] = ()  # differing ranges left when enough rows were found

    @property
    def equal(self) -> bool:
        """Whether rows, sums and fingerprints all agree."""
        return self.source == self.target and all(m.source == m.target for m in self.money)


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The answer of a verification."""

    tables: tuple[TableVerification, ...]
    seconds: float = 0.0

    @property
    def equal(self) -> bool:
        """Whether every table is equal."""
        return all(table.equal for table in self.tables)


@dataclass(slots=True)
class TableCopied:
    """How the copy of one table went."""

    table: str
    read: int = 0
    loaded: int = 0
    rejected: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Rows read per second."""
        return self.read / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class Rejections:
    """Rows of one table rejected for one reason: how many, and the first keys."""

    table: str
    column: str
    reason: str
    rows: int = 0
    first_keys: list[int] = field(default_factory=list)


@dataclass(slots=True)
class CopyReport:
    """How a copy went, as far as it went."""

    outcome: str = "refused"
    tables: list[TableCopied] = field(default_factory=list)
    rejections: list[Rejections] = field(default_factory=list)
    verification: VerifyReport | None = None
    seconds: float = 0.0

    @property
    def rejected(self) -> int:
        """Rows rejected in all tables."""
        return sum(table.rejected for table in self.tables)


def copy_lines(report: CopyReport) -> Iterator[str]:
    """Yield the report of a copy for people."""
    yield f"{'table':<20}{'read':>12}{'loaded':>12}{'rejected':>10}{'rows/s':>10}"
    for table in report.tables:
        counts = f"{table.read:>12,}{table.loaded:>12,}{table.rejected:>10,}{table.rate:>10,.0f}"
        yield f"{table.table:<20}{counts}"
    for rejected in report.rejections:
        keys = ", ".join(map(str, rejected.first_keys))
        more = ", …" if rejected.rows > len(rejected.first_keys) else ""
        where = f"{rejected.table}.{rejected.column}"
        yield f"rejected {rejected.rows:,} x {where} {rejected.reason}: id {keys}{more}"
    if report.verification is not None:
        yield ""
        yield from verify_lines(report.verification)


def verify_lines(report: VerifyReport) -> Iterator[str]:
    """Yield the report of a verification for people."""
    for table in report.tables:
        counts = f"{table.source.rows:,} rows in the source, {table.target.rows:,} in the target"
        aside = f", {table.quarantined:,} quarantined" if table.quarantined else ""
        yield f"{'equal  ' if table.equal else 'DIFFERS'} {table.table}: {counts}{aside}"
        yield f"        fingerprint {_both(table.source, table.target)}"
        for money in table.money:
            yield f"        {money.currency} {_both(_amount(money.source), _amount(money.target))}"
        yield from (f"    {difference}" for difference in table.differences)
        yield from (f"    more differences in rows {keys}" for keys in table.not_searched)
    verdict = "the two databases are equal" if report.equal else "the two databases differ"
    yield f"{verdict} ({report.seconds:.1f} s)"


def copy_json(report: CopyReport) -> dict[str, Any]:
    """Return the report of a copy for machines."""
    tables = [asdict(t) | {"rows_per_second": round(t.rate)} for t in report.tables]
    verification = report.verification
    return {
        "outcome": report.outcome,
        "seconds": report.seconds,
        "tables": tables,
        "rejected": report.rejected,
        "rejections": [asdict(rejected) for rejected in report.rejections],
        "verification": None if verification is None else verify_json(verification),
    }


def verify_json(report: VerifyReport) -> dict[str, Any]:
    """Return the report of a verification for machines."""
    return {
        "equal": report.equal,
        "seconds": report.seconds,
        "tables": [_table_json(table) for table in report.tables],
    }


def _table_json(table: TableVerification) -> dict[str, Any]:
    return {
        "table": table.table,
        "equal": table.equal,
        "quarantined": table.quarantined,
        "source": {"rows": table.source.rows, "fingerprint": str(table.source)},
        "target": {"rows": table.target.rows, "fingerprint": str(table.target)},
        "money": [asdict(money) for money in table.money],
        "differences": [_difference_json(difference) for difference in table.differences],
        "not_searched": [asdict(keys) for keys in table.not_searched],
    }


def _difference_json(difference: Difference) -> Mapping[str, Any]:
    match difference:
        case MissingRow(key):
            return {"kind": "missing", "key": key}
        case ExtraRow(key):
            return {"kind": "extra", "key": key}
        case ChangedRow(key, columns):
            return {"kind": "changed", "key": key, "columns": [asdict(c) for c in columns]}


def _both(source: object, target: object) -> str:
    return f"{source}" if source == target else f"{source} in the source, {target} in the target"


def _amount(hundredths: int) -> str:
    sign, rest = ("-" if hundredths < 0 else ""), abs(hundredths)
    return f"{sign}{rest // 100:,}.{rest % 100:02d}"


def _show(value: Spelled) -> str:
    return "null" if value is None else repr(value)
