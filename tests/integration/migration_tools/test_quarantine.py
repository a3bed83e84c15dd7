import orjson
import pytest

from tests.integration.migration_tools.pair import Pair, Ran

ORPHANS = """
INSERT INTO subscriptions VALUES
 (40, 999, 1, 'active', '2026-12-01', '2024-03-01 10:00:00'),
 (50, 1, 888, 'active', '2026-12-01', '2024-03-01 10:00:00');
INSERT INTO billing_history VALUES
 (400, 40, 999, 5.00, 'EUR', 'paid', 'child of an orphan', '2024-03-01 10:00:00', NULL, NULL, 0),
 (500, NULL, 1, 7.00, 'EUR', 'paid', 'of nothing', '2024-03-01 10:00:00', NULL, NULL, 0);
"""


def reasons(ran: Ran) -> set[tuple[str, str, str, int]]:
    """Return what was rejected: table, column, reason, and how many rows."""
    return {
        (one["table"], one["column"], one["reason"], one["rows"])
        for one in ran.report["rejections"]
    }


def test_orphans_refuse_the_copy(pair: Pair) -> None:
    """Rows without a parent are found, nothing is committed, and the way out is told."""
    pair.in_source(ORPHANS)
    ran = pair.run("copy")
    assert ran.code == 1
    assert "4 rows were rejected and --max-rejected allows 0" in ran.errors
    assert "with --max-rejected 4" in ran.errors
    assert reasons(ran) == {
        ("subscriptions", "user_id", "has no row in users", 1),
        ("subscriptions", "plan_id", "has no row in subscription_plans", 1),
        ("billing_history", "subscription_id", "has no row in subscriptions", 1),
        (
            "billing_history",
            "subscription_id",
            "is null or a zero date, and the target requires a value",
            1,
        ),
    }
    assert pair.target_rows() == [0, 0, 0, 0]
    assert pair.in_target("SELECT to_regclass('migration_quarantine') IS NULL") == "t"


def test_orphans_in_quarantine(pair: Pair) -> None:
    """With a limit that allows them they are kept with reason and raw values; the rest is equal."""
    pair.in_source(ORPHANS)
    pair.copied("--max-rejected", "4")
    assert pair.target_rows() == [3, 2, 3, 3]
    kept = pair.in_target(
        "SELECT source_table, source_key, source_column, reason, raw FROM migration_quarantine"
        " WHERE source_key IN (40, 500) ORDER BY 2"
    ).split("\n")
    orphan, unconvertible = (line.split("|") for line in kept)
    assert orphan[:4] == ["subscriptions", "40", "user_id", "has no row in users"]
    assert orjson.loads(orphan[4]) == {
        "id": "40",
        "user_id": "999",
        "plan_id": "1",
        "status": "active",
        "created_at": "2024-03-01 10:00:00",
        "next_billing_date": "2026-12-01",
    }
    assert unconvertible[:3] == ["billing_history", "500", "subscription_id"]
    verified = pair.run("verify")
    assert verified.code == 0
    aside = {table["table"]: table["quarantined"] for table in verified.report["tables"]}
    assert aside == {
        "users": 0,
        "subscription_plans": 0,
        "subscriptions": 2,
        "billing_history": 2,
    }


def test_key_of_a_quarantined_row_is_not_given_away(pair: Pair) -> None:
    """A new row cannot take the key under which a quarantined row will come back."""
    pair.in_source(ORPHANS)
    pair.copied("--max-rejected", "4")
    made = pair.in_target(
        "INSERT INTO subscriptions (user_id, plan_id, next_billing_date)"
        " VALUES (1, 1, now()) RETURNING id"
    )
    assert made == "51"


def test_mended_source_empties_the_quarantine(pair: Pair) -> None:
    """Once the source is mended a new copy takes the rows over and forgets about them."""
    pair.in_source(ORPHANS)
    pair.copied("--max-rejected", "4")
    pair.in_source(
        "DELETE FROM subscriptions WHERE id > 30; DELETE FROM billing_history WHERE id > 300"
    )
    pair.copied("--replace")
    assert pair.in_target("SELECT count(*) FROM migration_quarantine") == "0"


def test_quarantined_row_in_the_target_is_extra(pair: Pair) -> None:
    """A row that was quarantined and yet stands in the target is a difference."""
    pair.in_source(ORPHANS)
    pair.copied("--max-rejected", "4")
    pair.in_target(
        "INSERT INTO billing_history (id, subscription_id, user_id, amount_minor, currency, status,"
        " billed_at) VALUES (500, 10, 1, 700, 'EUR', 'paid', now())"
    )
    assert pair.run("verify").differences == {"billing_history": [{"kind": "extra", "key": 500}]}


@pytest.mark.parametrize(
    ("sql", "rejected"),
    [
        (
            "UPDATE users SET email = 'ASA@example.org' WHERE id = 3",
            ("users", "email", "is that of an earlier row, but for case", 1),
        ),
        (
            "UPDATE users SET birthday = '1984-00-15' WHERE id = 3",
            ("users", "birthday", "is not a date of the calendar", 1),
        ),
        (
            "UPDATE users SET is_active = 2 WHERE id = 3",
            ("users", "is_active", "is neither 0 nor 1", 1),
        ),
        (
            "UPDATE users SET name = CONCAT('a', CHAR(0), 'b') WHERE id = 3",
            ("users", "name", "holds a NUL character, which PostgreSQL cannot store", 1),
        ),
        (
            "UPDATE subscriptions SET status = 'frozen' WHERE id = 30",
            ("subscriptions", "status", "is none of active, cancelled, past_due", 1),
        ),
        (
            "UPDATE subscription_plans SET price = -1 WHERE id = 2",
            ("subscription_plans", "price", "is less than 0", 1),
        ),
        (
            "UPDATE subscription_plans SET features = 'seats=1' WHERE id = 2",
            ("subscription_plans", "features", "is not JSON", 1),
        ),
        (
            "UPDATE billing_history SET amount = 99999999.99 WHERE id = 300",
            ("billing_history", "amount", "is outside the range of INTEGER", 1),
        ),
        (
            "UPDATE billing_history SET billed_at = 0 WHERE id = 300",
            (
                "billing_history",
                "billed_at",
                "is null or a zero date, and the target requires a value",
                1,
            ),
        ),
    ],
)
def test_row_that_does_not_convert(
    pair: Pair, sql: str, rejected: tuple[str, str, str, int]
) -> None:
    """What the target cannot hold is rejected by name, and with it only what depends on it."""
    pair.in_source(sql)
    ran = pair.run("copy", "--max-rejected", "5")
    assert ran.code == 0, ran.errors
    assert rejected in reasons(ran)
    dependent = {reason for *_, reason, _ in reasons(ran) - {rejected}}
    assert all(reason.startswith("has no row in") for reason in dependent)
    assert pair.run("verify").code == 0


def test_reading_that_the_zone_skips(pair: Pair) -> None:
    """A wall clock reading that never was in the declared zone is rejected, not moved."""
    ran = pair.run("copy", "--zone", "Europe/Berlin", "--max-rejected", "9")
    assert ran.code == 0
    assert (
        "users",
        "last_login_at",
        "does not exist in the declared zone (clocks were put forward)",
        1,
    ) in reasons(ran)


def test_many_rejected_rows_are_counted_and_the_first_named(pair: Pair) -> None:
    """Of many rows with one reason the report holds the number and the first keys."""
    pair.in_source(
        "INSERT INTO billing_history SELECT 1000 + seq, 12345, 1, 1, 'EUR', 'paid', '',"
        " '2024-03-01', NULL, NULL, 0 FROM seq_1_to_12000"
    )
    ran = pair.run("copy", "--max-rejected", "11999")
    assert ran.code == 1
    (rejection,) = ran.report["rejections"]
    assert rejection["rows"] == 12_000
    assert rejection["first_keys"] == list(range(1001, 1011))
    assert pair.run("copy", "--max-rejected", "12000").code == 0
    assert pair.in_target("SELECT count(*) FROM migration_quarantine") == "12000"
