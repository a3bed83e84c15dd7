import pytest

from migration_tools import convert
from tests.integration.migration_tools.pair import Pair


@pytest.mark.parametrize(
    ("sql", "table", "difference"),
    [
        (
            "UPDATE billing_history SET amount_minor = 991 WHERE id = 100",
            "billing_history",
            {
                "kind": "changed",
                "key": 100,
                "columns": [{"column": "amount_minor", "source": "990", "target": "991"}],
            },
        ),
        (
            "UPDATE subscriptions SET next_billing_date = '2026-02-01 00:00:00Z' WHERE id = 20",
            "subscriptions",
            {
                "kind": "changed",
                "key": 20,
                "columns": [
                    {
                        "column": "next_billing_date",
                        "source": "2026-01-31 00:00:00.000000",
                        "target": "2026-02-01 00:00:00.000000",
                    }
                ],
            },
        ),
        (
            "UPDATE users SET last_login_at = '2024-03-31 02:30:00.000001Z' WHERE id = 1",
            "users",
            {
                "kind": "changed",
                "key": 1,
                "columns": [
                    {
                        "column": "last_login_at",
                        "source": "2024-03-31 02:30:00.000000",
                        "target": "2024-03-31 02:30:00.000001",
                    }
                ],
            },
        ),
        (
            "UPDATE users SET phone = NULL WHERE id = 3",
            "users",
            {
                "kind": "changed",
                "key": 3,
                "columns": [{"column": "phone", "source": "", "target": None}],
            },
        ),
        (
            "UPDATE users SET is_active = NOT is_active, name = name || ' ' WHERE id = 2",
            "users",
            {
                "kind": "changed",
                "key": 2,
                "columns": [
                    {"column": "name", "source": "李小龍 🥋", "target": "李小龍 🥋 "},
                    {"column": "is_active", "source": "0", "target": "1"},
                ],
            },
        ),
        (
            "UPDATE users SET password_hash = 'stolen' WHERE id = 1",
            "users",
            {
                "kind": "changed",
                "key": 1,
                "columns": [
                    {
                        "column": "password_hash",
                        "source": "(differs, not shown)",
                        "target": "(differs, not shown)",
                    }
                ],
            },
        ),
        (
            "UPDATE subscription_plans SET features = '{\"seats\": 2}' WHERE id = 2",
            "subscription_plans",
            {
                "kind": "changed",
                "key": 2,
                "columns": [{"column": "features", "source": "{}", "target": '{"seats":2}'}],
            },
        ),
        (
            "DELETE FROM billing_history WHERE id = 200",
            "billing_history",
            {"kind": "missing", "key": 200},
        ),
        (
            "INSERT INTO users (id, email, name, password_hash) VALUES (9, 'n@x', 'N', 'h')",
            "users",
            {"kind": "extra", "key": 9},
        ),
    ],
)
def test_difference_is_found_and_named(
    pair: Pair, sql: str, table: str, difference: dict[str, object]
) -> None:
    """One touched row is named with its key, its columns and both values, and nothing else is."""
    pair.copied().in_target(sql)
    ran = pair.run("verify")
    assert ran.code == 1
    assert ran.differences == {table: [difference]}


def test_money_is_summed_per_currency(pair: Pair) -> None:
    """Two errors that cancel out in the total still show in the sum of each currency."""
    pair.copied().in_target(
        "UPDATE billing_history SET currency = 'USD' WHERE id = 100;"
        "UPDATE billing_history SET currency = 'EUR', amount_minor = 990 WHERE id = 200;"
        "UPDATE billing_history SET amount_minor = 12000 WHERE id = 100"
    )
    (history,) = (t for t in pair.run("verify").report["tables"] if not t["equal"])
    assert history["money"] == [
        {"currency": "EUR", "source": 1980, "target": 1980},
        {"currency": "USD", "source": 12000, "target": 12000},
    ]
    assert [difference["key"] for difference in history["differences"]] == [100, 200]


def test_cents_that_differ_show_in_the_sums(pair: Pair) -> None:
    """A cent more shows in the sum of its currency only."""
    pair.copied().in_target("UPDATE billing_history SET amount_minor = 991 WHERE id = 100")
    (history,) = (t for t in pair.run("verify").report["tables"] if not t["equal"])
    assert history["money"] == [
        {"currency": "EUR", "source": 1980, "target": 1981},
        {"currency": "USD", "source": 12000, "target": 12000},
    ]


def test_rows_are_found_among_many(pair: Pair) -> None:
    """In a large table with gaps the rows that differ are found by their keys alone."""
    pair.in_source(
        "INSERT INTO billing_history SELECT 1000 + seq * 7, 10, 1, 9.90, 'EUR', 'paid', 'Basic',"
        " '2024-03-01 10:00:00' + INTERVAL seq MINUTE, NULL, NULL, 0 FROM seq_1_to_20000"
    )
    pair.copied().in_target(
        "UPDATE billing_history SET paid_at = billed_at WHERE id IN (1007, 71000, 141000);"
        "DELETE FROM billing_history WHERE id = 50000"
    )
    found = pair.run("verify").differences["billing_history"]
    assert [(one["kind"], one["key"]) for one in found] == [
        ("changed", 1007),
        ("missing", 50000),
        ("changed", 71000),
        ("changed", 141000),
    ]


def test_too_many_to_name(pair: Pair) -> None:
    """When everything differs the first rows are named and the rest is told as ranges of keys."""
    pair.in_source(
        "INSERT INTO billing_history SELECT 1000 + seq, 10, 1, 9.90, 'EUR', 'paid', 'Basic',"
        " '2024-03-01 10:00:00', NULL, NULL, 0 FROM seq_1_to_1000"
    )
    pair.copied().in_target("UPDATE billing_history SET status = 'failed' WHERE id > 1000")
    (history,) = (t for t in pair.run("verify").report["tables"] if not t["equal"])
    assert [difference["key"] for difference in history["differences"]] == list(range(1001, 1021))
    assert history["not_searched"][0]["first"] == 1021
    assert history["not_searched"][-1]["last"] >= 2000


def test_row_that_legacy_changed_since(pair: Pair) -> None:
    """What legacy wrote after the copy is a difference as well."""
    pair.copied().in_source("UPDATE subscriptions SET status = 'cancelled' WHERE id = 10")
    (difference,) = pair.run("verify").differences["subscriptions"]
    assert difference["columns"] == [
        {"column": "status", "source": "cancelled", "target": "active"}
    ]


def test_verification_is_a_second_opinion(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A converter that is wrong by a cent is caught by the copy, and nothing is committed."""
    monkeypatch.setattr(convert, "minor_units", lambda _raw, _at_least=None: 991)
    ran = pair.run("copy")
    assert ran.code == 1
    assert "the loaded rows are not those of the source: nothing was committed" in ran.errors
    (changed, *_) = ran.report["verification"]["tables"][1]["differences"]
    assert changed["columns"] == [{"column": "price_minor", "source": "990", "target": "991"}]
    assert pair.target_rows() == [0, 0, 0, 0]
