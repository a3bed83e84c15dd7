import dataclasses

import pytest

from deploy.stack.ports import free_ports
from migration_tools import connections
from migration_tools.writer import ONE_COPY_AT_A_TIME
from tests.integration.migration_tools.pair import Pair


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"port": 0}, "does not answer"),
        ({"password": "not-the-s3cret"}, ""),
        ({"user": "nobody_we_know"}, ""),
        ({"name": "no_such_database"}, "no_such_database"),
        ({"host": "no-such-host.invalid"}, "does not answer"),
    ],
)
def test_server_that_lets_nobody_in(
    pair: Pair, side: str, change: dict[str, object], words: str
) -> None:
    """A wrong host, port, name, user or password is told with the address but no password."""
    if "port" in change:
        change = {"port": free_ports(1)[0]}
    database = dataclasses.replace(getattr(pair, side), **change)
    ran = dataclasses.replace(pair, **{side: database}).run("copy")
    assert ran.code == 2
    assert ran.errors.startswith(f"error: the {side} ")
    assert f"{database.host}:{database.port}/{database.name}" in ran.errors
    assert words in ran.errors
    assert database.password not in ran.errors
    assert ran.report == {"outcome": "error", "error": ran.errors.strip().removeprefix("error: ")}


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DROP TABLE billing_history", "source table billing_history does not exist"),
        (
            "ALTER TABLE users ADD COLUMN newsletter TINYINT(1)",
            "source column users.newsletter is not in the mapping and would be lost",
        ),
        ("ALTER TABLE users DROP COLUMN phone", "source column users.phone is missing"),
        (
            "ALTER TABLE billing_history MODIFY amount DOUBLE",
            "source column billing_history.amount is double, and the mapping reads decimal",
        ),
        (
            "ALTER TABLE subscriptions ENGINE=MyISAM",
            "source table subscriptions is not InnoDB, so it has no consistent snapshot",
        ),
    ],
)
@pytest.mark.parametrize("command", ["copy", "verify"])
def test_source_schema_that_drifted(pair: Pair, command: str, sql: str, words: str) -> None:
    """A legacy schema that the mapping does not know is refused before anything is read."""
    pair.in_source(sql)
    ran = pair.run(command)
    assert ran.code == 2
    assert words in ran.errors


def test_target_that_was_not_migrated(pair: Pair) -> None:
    """A target without its tables is refused, with a hint."""
    pair.in_target("DROP TABLE billing_history CASCADE")
    ran = pair.run("copy")
    assert ran.code == 2
    assert "target table billing_history does not exist (has the target been migrated?)" in (
        ran.errors
    )


def test_target_that_requires_more(pair: Pair) -> None:
    """A target column that the mapping cannot fill is refused."""
    pair.in_target("ALTER TABLE users ADD COLUMN tenant text NOT NULL")
    ran = pair.run("copy")
    assert "target column users.tenant requires a value, and the mapping has none" in ran.errors


def test_target_that_is_not_unicode(pair: Pair) -> None:
    """A target in an encoding that cannot hold every name is refused, and the cure is told."""
    name = f"{pair.target.name}_latin1"
    pair.postgres.sql(
        f'CREATE DATABASE "{name}" OWNER "{pair.target.user}" ENCODING LATIN1'
        " LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )
    target = dataclasses.replace(pair.target, name=name)
    ran = dataclasses.replace(pair, target=target).run("copy")
    pair.postgres.sql(f'DROP DATABASE "{name}"')
    assert ran.code == 2
    assert "stores text as LATIN1" in ran.errors
    assert "ENCODING 'UTF8'" in ran.errors


def test_target_constraint_that_the_mapping_does_not_know(pair: Pair) -> None:
    """A constraint that only the database knows stops the copy with the row that broke it."""
    pair.in_target("ALTER TABLE users ADD CONSTRAINT short CHECK (char_length(name) < 11)")
    ran = pair.run("copy")
    assert ran.code == 2
    assert 'violates check constraint "short"' in ran.errors
    assert pair.target_rows() == [0, 0, 0, 0]


def test_target_in_use(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that somebody else holds is waited for only so long."""
    monkeypatch.setattr(connections, "LOCK_WAIT", "50ms")
    with pair.target_session("BEGIN; LOCK TABLE subscriptions IN ROW EXCLUSIVE MODE"):
        ran = pair.run("copy")
    assert ran.code == 2
    assert "is in use: a lock was not free within 50ms" in ran.errors


def test_two_copies_at_once(pair: Pair) -> None:
    """A second copy into the same target is refused while one is running."""
    running = f"DO 'BEGIN PERFORM pg_advisory_lock({ONE_COPY_AT_A_TIME}); END'"
    with pair.target_session(running):
        ran = pair.run("copy")
    assert ran.code == 2
    assert "another copy is running into this target" in ran.errors
