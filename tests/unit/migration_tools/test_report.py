import json

from migration_tools.fingerprint import Fingerprint, KeyRange
from migration_tools.report import (
    ChangedRow,
    ColumnDifference,
    CopyReport,
    ExtraRow,
    MissingRow,
    MoneySum,
    Rejections,
    TableCopied,
    TableVerification,
    VerifyReport,
    copy_json,
    copy_lines,
    verify_json,
    verify_lines,
)

EQUAL = TableVerification(
    "users", Fingerprint(2000, 0xA, 0xB), Fingerprint(2000, 0xA, 0xB), quarantined=3
)
DIFFERENT = TableVerification(
    "billing_history",
    Fingerprint(3, 1, 2),
    Fingerprint(3, 1, 3),
    money=(MoneySum("EUR", 123456, 123457), MoneySum("USD", -5, -5)),
    differences=(
        MissingRow(7),
        ExtraRow(8),
        ChangedRow(9, (ColumnDifference("paid_at", None, "2024-03-01 10:00:00.000000"),)),
    ),
    not_searched=(KeyRange(10, 90),),
)


def test_verification_for_people() -> None:
    """The report says per table what is equal, and where it is not, down to row and column."""
    lines = list(verify_lines(VerifyReport((EQUAL, DIFFERENT), 0.25)))
    assert lines == [
        "equal   users: 2,000 rows in the source, 2,000 in the target, 3 quarantined",
        "        fingerprint 000000000000000a000000000000000b",
        "DIFFERS billing_history: 3 rows in the source, 3 in the target",
        "        fingerprint 00000000000000010000000000000002 in the source, "
        "00000000000000010000000000000003 in the target",
        "        EUR 1,234.56 in the source, 1,234.57 in the target",
        "        USD -0.05",
        "    row 7 is missing in the target",
        "    row 8 is in the target only",
        "    row 9 differs: paid_at is null in the source "
        "and '2024-03-01 10:00:00.000000' in the target",
        "    more differences in rows 10..90",
        "the two databases differ (0.2 s)",
    ]


def test_verification_for_machines() -> None:
    """The same as JSON: the verdict, and per table both sides and each difference by kind."""
    report = json.loads(json.dumps(verify_json(VerifyReport((EQUAL, DIFFERENT)))))
    assert report["equal"] is False
    users, history = report["tables"]
    assert users["equal"] is True
    assert users["quarantined"] == 3
    assert history["money"][0] == {"currency": "EUR", "source": 123456, "target": 123457}
    assert [difference["kind"] for difference in history["differences"]] == [
        "missing",
        "extra",
        "changed",
    ]
    assert history["not_searched"] == [{"first": 10, "last": 90}]


def test_copy_for_people_and_machines() -> None:
    """A copy is told with rows, rate, and each reason for a rejection with the first keys."""
    report = CopyReport(
        tables=[TableCopied("users", read=10, loaded=8, rejected=2, seconds=0.5)],
        rejections=[Rejections("users", "email", "is null", 2, [4])],
    )
    assert list(copy_lines(report)) == [
        "table                       read      loaded  rejected    rows/s",
        "users                         10           8         2        20",
        "rejected 2 x users.email is null: id 4, …",
    ]
    machine = copy_json(report)
    assert machine["rejected"] == 2
    assert machine["tables"][0]["rows_per_second"] == 20
    assert machine["verification"] is None
