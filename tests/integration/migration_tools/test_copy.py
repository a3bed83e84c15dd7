import dataclasses

import pytest

from deploy.stack import Database
from tests.integration.migration_tools.pair import Pair


def test_seeded_database_is_copied_and_equal(legacy_database: Database, empty_pair: Pair) -> None:
    """The whole seeded billing database arrives, and both sides agree on every row and cent."""
    seeded = dataclasses.replace(empty_pair, source=legacy_database)
    ran = seeded.run("copy")
    assert ran.code == 0, ran.errors
    assert ran.report["outcome"] == "copied"
    read = {table["table"]: table["read"] for table in ran.report["tables"]}
    assert (read["users"], read["subscription_plans"], read["subscriptions"]) == (2000, 4, 3000)
    assert read["billing_history"] >= 20_000
    assert seeded.target_rows() == list(read.values())
    assert seeded.run("verify").report["equal"] is True


def test_values_arrive_as_the_modern_schema_spells_them(pair: Pair) -> None:
    """Names of any script, zero dates, nulls, JSON and money each become what they mean."""
    pair.copied()
    assert pair.in_target(
        "SELECT name, country, phone, birthday, is_active, last_login_at AT TIME ZONE 'UTC',"
        " updated_at = created_at FROM users ORDER BY id"
    ).split("\n", 2) == [
        "Åsa Nyström|SE|+46 1|1984-02-29|t|2024-03-31 02:30:00|t",
        "李小龍 🥋||||f||t",
        'O\'Brien \\ "Q"\t\n|IE|||t||t',
    ]
    plans = pair.in_target(
        "SELECT price_minor, currency, description, features FROM subscription_plans ORDER BY id"
    )
    assert plans.split("\n") == [
        '990|EUR|Für Büros & Cafés|{"ratio": 1.5, "seats": 1}',
        "12000|USD||{}",
    ]
    assert (
        pair.in_target(
            "SELECT next_billing_date AT TIME ZONE 'UTC', started_at = created_at,"
            " cancelled_at, trial_ends_at FROM subscriptions WHERE id = 10"
        )
        == "2026-12-01 00:00:00|t||"
    )
    assert (
        pair.in_target(
            "SELECT amount_minor, description, paid_at, created_at = billed_at"
            " FROM billing_history WHERE id = 200"
        )
        == "12000|||t"
    )


def test_empty_source(empty_pair: Pair) -> None:
    """Four empty tables are a copy too."""
    ran = empty_pair.run("copy")
    assert ran.code == 0
    assert empty_pair.target_rows() == [0, 0, 0, 0]


def test_batches_of_one(pair: Pair) -> None:
    """The size of a batch changes nothing but the number of batches."""
    pair.copied("--batch-size", "1")
    assert pair.target_rows() == [3, 2, 3, 3]


def test_declared_zone(pair: Pair) -> None:
    """DATE and DATETIME are read in the declared zone; TIMESTAMP, kept in UTC by MySQL, is not."""
    pair.in_source("UPDATE users SET last_login_at = '2024-07-01 12:00:00' WHERE id = 1")
    pair.copied("--zone", "Europe/Berlin")
    assert (
        pair.in_target(
            "SET TIME ZONE 'UTC'; SELECT u.last_login_at, u.created_at, s.next_billing_date"
            " FROM users u JOIN subscriptions s ON s.user_id = u.id WHERE u.id = 1"
        )
        == "2024-07-01 10:00:00+00|2023-05-01 12:00:00+00|2026-11-30 23:00:00+00"
    )
    assert pair.run("verify", "--zone", "Europe/Berlin").code == 0
    assert pair.run("verify", "--zone", "UTC").code == 1


def test_latin1_table(pair: Pair) -> None:
    """A column in latin1 arrives with its characters, not its bytes."""
    pair.in_source(
        "ALTER TABLE users MODIFY name VARCHAR(255) CHARACTER SET latin1;"
        "UPDATE users SET name = 'Søren Müller, Ægir' WHERE id = 2"
    )
    assert pair.in_source("SELECT HEX(name) FROM users WHERE id = 1").startswith("C573")
    pair.copied()
    names = pair.in_target("SELECT name FROM users WHERE id < 3 ORDER BY id")
    assert names == "Åsa Nyström\nSøren Müller, Ægir"


def test_new_rows_get_keys_above_the_legacy_ones(pair: Pair) -> None:
    """The target's next key is above every key the source ever gave, to deleted rows as well."""
    pair.in_source(
        "INSERT INTO users (id, email) VALUES (77, 'gone@example.org');"
        "DELETE FROM users WHERE id = 77"
    )
    pair.copied()
    made = pair.in_target(
        "INSERT INTO users (email, name, password_hash) VALUES ('new@example.org', 'N', 'h')"
        " RETURNING id"
    )
    assert made == "78"


def test_target_that_holds_rows(pair: Pair) -> None:
    """A second copy is refused, and tells about --replace; with it the rows are replaced."""
    pair.copied()
    ran = pair.run("copy")
    assert ran.code == 2
    assert "users already holds rows; give --replace" in ran.errors
    pair.in_source("UPDATE users SET name = 'Changed' WHERE id = 1")
    pair.copied("--replace")
    assert pair.in_target("SELECT name FROM users WHERE id = 1") == "Changed"


@pytest.mark.parametrize("holds", [False, True])
def test_replacing_what_modern_has_written_about(pair: Pair, *, holds: bool) -> None:
    """Tables that refer to the copied ones stop it when they hold rows, and only then."""
    pair.copied()
    if holds:
        pair.in_target(
            "INSERT INTO refunds (charge_id, payment, amount_minor, currency, key, standing,"
            " asked_at) VALUES (100, 'ch_1', 1, 'EUR', 'k', 'asked', now())"
        )
    ran = pair.run("copy", "--replace")
    assert ran.code == (2 if holds else 0)
    assert ("the target's refunds holds rows, and refers by a foreign key" in ran.errors) is holds
    assert pair.in_target("SELECT count(*) FROM refunds") == str(int(holds))


def test_dry_run(pair: Pair) -> None:
    """A dry run copies and verifies and leaves the target as it was, its sequences too."""
    ran = pair.run("copy", "--dry-run")
    assert ran.code == 0
    assert ran.report["outcome"] == "dry run"
    assert ran.report["verification"]["equal"] is True
    assert pair.target_rows() == [0, 0, 0, 0]
    assert pair.in_target("SELECT last_value FROM users_id_seq") == "1"
    assert pair.in_target("SELECT to_regclass('migration_quarantine') IS NULL") == "t"


def test_some_tables(pair: Pair) -> None:
    """Only the named tables are copied and verified, parents first whatever the order."""
    pair.copied("--tables", "subscription_plans,users")
    assert pair.target_rows() == [3, 2, 0, 0]
    assert pair.run("verify", "--tables", "users,subscription_plans").code == 0
    pair.copied("--tables", "billing_history,subscriptions")
    assert pair.run("verify").code == 0


def test_replacing_parents_alone(pair: Pair) -> None:
    """Replacing users below their subscriptions is refused by the database, in words."""
    pair.copied()
    ran = pair.run("copy", "--replace", "--tables", "users")
    assert ran.code == 2
    assert "foreign key" in ran.errors
    assert pair.target_rows() == [3, 2, 3, 3]


@pytest.mark.parametrize("spelled", ["[]", " { } ", r'{"b":[1e1,1.10],"a":{"\\u00e9":[]}}'])
def test_json_is_compared_by_meaning(pair: Pair, spelled: str) -> None:
    """However legacy spelled its JSON, the copy verifies as equal."""
    pair.in_source(f"UPDATE subscription_plans SET features = '{spelled}'")  # noqa: S608 # ours
    assert pair.run("copy").code == 0
