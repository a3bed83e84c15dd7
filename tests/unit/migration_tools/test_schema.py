from dataclasses import replace

from migration_tools.mapping import BILLING_HISTORY, SUBSCRIPTIONS
from migration_tools.schema import FoundColumn, FoundTable, source_drift, target_drift

SOURCE = FoundTable(
    {
        "id": FoundColumn("int"),
        "user_id": FoundColumn("int"),
        "plan_id": FoundColumn("int"),
        "status": FoundColumn("enum"),
        "next_billing_date": FoundColumn("date"),
        "created_at": FoundColumn("timestamp"),
    }
)
MOMENT = FoundColumn("timestamptz")
TARGET = FoundTable(
    {
        "id": FoundColumn("int4"),
        "user_id": FoundColumn("int4", optional=False),
        "plan_id": FoundColumn("int4", optional=False),
        "status": FoundColumn("varchar", limit=20),
        "next_billing_date": MOMENT,
        "started_at": MOMENT,
        "cancelled_at": MOMENT,
        "trial_ends_at": MOMENT,
        "created_at": MOMENT,
        "updated_at": MOMENT,
    }
)


def without(found: FoundTable, name: str) -> FoundTable:
    """Return the table without one column."""
    return replace(found, columns={n: c for n, c in found.columns.items() if n != name})


def with_column(found: FoundTable, name: str, column: FoundColumn) -> FoundTable:
    """Return the table with one column more, or another one."""
    return replace(found, columns={**found.columns, name: column})


def test_expected_schemas() -> None:
    """The schemas that the mapping was written for have not drifted."""
    assert list(source_drift(SUBSCRIPTIONS, SOURCE)) == []
    assert list(target_drift(SUBSCRIPTIONS, TARGET)) == []


def test_missing_tables() -> None:
    """A missing table is told by its name."""
    assert list(source_drift(SUBSCRIPTIONS, None)) == ["source table subscriptions does not exist"]
    assert list(target_drift(SUBSCRIPTIONS, None)) == [
        "target table subscriptions does not exist (has the target been migrated?)"
    ]


def test_missing_source_column() -> None:
    """A column that the mapping reads and the source lacks is told once."""
    assert list(source_drift(SUBSCRIPTIONS, without(SOURCE, "created_at"))) == [
        "source column subscriptions.created_at is missing"
    ]


def test_new_source_column() -> None:
    """A column that nobody mapped would be lost, and is refused."""
    found = with_column(SOURCE, "coupon", FoundColumn("varchar"))
    assert list(source_drift(SUBSCRIPTIONS, found)) == [
        "source column subscriptions.coupon is not in the mapping and would be lost"
    ]


def test_changed_source_type() -> None:
    """A DATE that has become a DATETIME means something else, and is refused."""
    found = with_column(SOURCE, "next_billing_date", FoundColumn("datetime"))
    assert list(source_drift(SUBSCRIPTIONS, found)) == [
        "source column subscriptions.next_billing_date is datetime, and the mapping reads date"
    ]


def test_table_without_snapshot() -> None:
    """A MyISAM table takes no part in the snapshot, so its copy could be torn."""
    (line,) = source_drift(SUBSCRIPTIONS, replace(SOURCE, transactional=False))
    assert "is not InnoDB" in line


def test_missing_target_column() -> None:
    """A target that is older than the mapping is refused."""
    assert list(target_drift(SUBSCRIPTIONS, without(TARGET, "trial_ends_at"))) == [
        "target column subscriptions.trial_ends_at is missing"
    ]


def test_new_target_column() -> None:
    """A target that is newer is accepted if its new column may be left out."""
    may = with_column(TARGET, "coupon", FoundColumn("varchar"))
    must = with_column(TARGET, "coupon", FoundColumn("varchar", optional=False))
    assert list(target_drift(SUBSCRIPTIONS, may)) == []
    assert list(target_drift(SUBSCRIPTIONS, must)) == [
        "target column subscriptions.coupon requires a value, and the mapping has none"
    ]


def test_changed_target_type() -> None:
    """A target column of another type is refused."""
    found = with_column(TARGET, "next_billing_date", FoundColumn("timestamp"))
    assert list(target_drift(SUBSCRIPTIONS, found)) == [
        "target column subscriptions.next_billing_date is timestamp"
    ]


def test_shorter_target_text() -> None:
    """A text column that cannot hold what the mapping allows is refused."""
    found = FoundTable({"description": FoundColumn("varchar", limit=100)})
    assert (
        "target column billing_history.description holds 100 characters, and the mapping allows 255"
    ) in list(target_drift(BILLING_HISTORY, found))
