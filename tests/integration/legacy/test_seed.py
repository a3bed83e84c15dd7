from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.stack.apache import legacy_environment
from deploy.stack.database import Database
from deploy.stack.errors import CommandError
from deploy.stack.mariadb import MariaDb
from deploy.stack.ports import free_ports

Seed = Callable[..., str]

# Pinned: a new seed is a new set of data, for the tests and for whoever compares with an old run.
FINGERPRINT = """\
users                  2000  507dc0bed14ba0ced8b576b290063a63c86d894fc88173d8b273a577542354b9
subscription_plans        4  b073c87b2fdcdcf202e64a6a831068038996c08db7d9282ccf7374f5bc3660bb
subscriptions          3000  ee36cf4d3f4b9f7fbfc838075b1e8417f14dfc7922525a9a5f3756a2fec2e4db
billing_history       24512  6c1eca6531af1186125e25c98a9b1553fb295b0cd05f94c61e14b4e949362afe
"""


@pytest.fixture(scope="module")
def seeded(mariadb_server: MariaDb) -> Database:
    """Give a database that only these tests touch; seed.php makes even its tables."""
    return mariadb_server.create_database("legacy_seeded")


def test_seeding_is_the_same_at_every_run(seeded: Database, seed: Seed) -> None:
    """The first run, a repeated one and a fresh one all end with the pinned fingerprint."""
    assert seed(seeded) == FINGERPRINT
    again = seed(seeded)
    assert again == "the database holds users already; --fresh throws them away\n" + FINGERPRINT
    assert seed(seeded, "--fresh") == FINGERPRINT
    assert seed(seeded, "--fingerprint") == FINGERPRINT


def test_a_change_shows_in_the_fingerprint(
    seeded: Database, seed: Seed, mariadb_server: MariaDb
) -> None:
    """One changed cent is seen, and --fresh mends it."""
    seed(seeded)
    mariadb_server.sql("UPDATE billing_history SET amount = amount + 0.01 LIMIT 1", seeded.name)
    assert seed(seeded, "--fingerprint").splitlines()[:3] == FINGERPRINT.splitlines()[:3]
    assert seed(seeded, "--fingerprint") != FINGERPRINT
    assert seed(seeded, "--fresh") == FINGERPRINT


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("SELECT COUNT(*) > 90 FROM users WHERE birthday = 0", "1"),
        ("SELECT COUNT(*) > 90 FROM users WHERE birthday IS NULL", "1"),
        ("SELECT COUNT(*) > 90 FROM users WHERE country IS NULL", "1"),
        ("SELECT COUNT(*) > 90 FROM users WHERE phone IS NULL", "1"),
        ("SELECT COUNT(*) > 90 FROM users WHERE last_login_at = 0", "1"),
        ("SELECT COUNT(*) > 90 FROM billing_history WHERE paid_at = 0", "1"),
        ("SELECT COUNT(*) > 1000 FROM users WHERE name <> CONVERT(name USING ascii)", "1"),
        ("SELECT COUNT(DISTINCT email) FROM users", "2000"),
        ("SELECT COUNT(DISTINCT country) FROM users", "20"),
        ("SELECT COUNT(*) FROM users WHERE email NOT REGEXP '@example[.](com|org)$'", "0"),
        ("SELECT COUNT(DISTINCT user_id) FROM subscriptions", "1750"),
        ("SELECT COUNT(*) FROM subscriptions WHERE next_billing_date = 0", "0"),
        ("SELECT COUNT(*) FROM subscriptions WHERE user_id NOT IN (SELECT id FROM users)", "0"),
        (
            "SELECT COUNT(*) FROM billing_history h LEFT JOIN subscriptions s"
            " ON s.id = h.subscription_id AND s.user_id = h.user_id WHERE s.id IS NULL",
            "0",
        ),
        (
            "SELECT MAX(n) FROM (SELECT COUNT(*) n FROM subscriptions WHERE status = 'active'"
            " GROUP BY user_id, plan_id) t",
            "1",
        ),
        ("SELECT COUNT(*) FROM subscription_plans WHERE features = '{}'", "1"),
    ],
)
def test_what_the_data_holds(
    seeded: Database, seed: Seed, mariadb_server: MariaDb, query: str, rows: str
) -> None:
    """The data has the gaps and oddities of years, and no orphans."""
    seed(seeded)
    assert mariadb_server.sql(query, seeded.name).strip() == rows


def test_a_wrong_option_is_refused(seeded: Database, seed: Seed) -> None:
    """An option that does not exist writes nothing and shows those that do."""
    with pytest.raises(CommandError, match=r"usage: php seed.php \[--fresh \| --fingerprint\]"):
        seed(seeded, "--force")


def test_a_database_that_is_away(seeded: Database, seed: Seed) -> None:
    """A failure is one line that says where, without the password."""
    away = replace(seeded, port=free_ports(1)[0])
    with pytest.raises(
        CommandError, match=rf"seed: .*@127.0.0.1:{away.port}/legacy_seeded"
    ) as error:
        seed(away)
    assert away.password not in str(error.value)


@pytest.mark.parametrize("name", ["config.php", "database.php", "billing.php", "sql/names.php"])
def test_a_part_run_by_itself_says_not_found(source: Path, seeded: Database, name: str) -> None:
    """A file that is no entry point does nothing when it is run as one."""
    environment = legacy_environment(seeded, ("127.0.0.1", 1))
    ran = subprocess.run(
        ["php", str(source / name)], env=environment, capture_output=True, check=True, text=True
    )
    assert ran.stdout == '{"status":"error","message":"Not found"}'
