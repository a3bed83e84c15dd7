import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.integration.migration_tools.pair import Pair
from tests.support import eventually

GATE = 42
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'"
COPYING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cutover-migration'"


@dataclass(frozen=True)
class Held:
    """A running copy, and the gate at which it waits."""

    process: subprocess.Popen[str]
    gate: ExitStack

    def go_on(self) -> tuple[str, str]:
        """Open the gate, and return what the copy printed until its end."""
        self.gate.close()
        return self.end()

    def end(self) -> tuple[str, str]:
        """Wait for the end, and return what it printed."""
        return self.process.communicate(timeout=30)


@contextmanager
def copy_held_at(pair: Pair, table: str, *options: str) -> Iterator[Held]:
    """Yield a copy that waits in the middle, about to fill `table`."""
    pair.in_target(
        "CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN PERFORM pg_advisory_xact_lock({GATE}); RETURN NULL; END $$;"
        f"CREATE TRIGGER gate BEFORE INSERT ON {table} EXECUTE FUNCTION wait_at_gate()"
    )
    with ExitStack() as gate:
        gate.enter_context(pair.target_session(f"DO 'BEGIN PERFORM pg_advisory_lock({GATE}); END'"))
        copy = subprocess.Popen(
            [sys.executable, "-m", "migration_tools", "copy", "--json", *options],
            env=os.environ
            | {"LEGACY_DATABASE_URL": pair.source.url, "DATABASE_URL": pair.target.sqlalchemy_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            eventually(lambda: pair.in_target(BLOCKED) == "1", what="the copy waits at the gate")
            yield Held(copy, gate)
        finally:
            copy.kill()
            copy.communicate()


def test_killed_copy_leaves_nothing(pair: Pair) -> None:
    """A copy killed after three of four tables leaves the target empty, and the next one works."""
    with copy_held_at(pair, "billing_history") as copy:
        assert pair.target_rows() == [0, 0, 0, 0]
        copy.process.send_signal(signal.SIGKILL)
        copy.process.wait()
        eventually(lambda: pair.in_target(COPYING) == "0", what="the server has noticed")
    assert pair.target_rows() == [0, 0, 0, 0]
    assert pair.in_target("SELECT to_regclass('migration_quarantine') IS NULL") == "t"
    pair.copied()
    assert pair.target_rows() == [3, 2, 3, 3]


def test_interrupted_replacement_keeps_the_old_rows(pair: Pair) -> None:
    """A replacement that is stopped by Ctrl-C leaves the rows that were there before."""
    pair.copied().in_source("UPDATE users SET name = 'Changed'")
    with copy_held_at(pair, "subscriptions", "--replace") as copy:
        copy.process.send_signal(signal.SIGINT)
        _, errors = copy.end()
        assert copy.process.returncode == 130
        assert errors.strip() == "stopped; nothing was committed"
    assert pair.target_rows() == [3, 2, 3, 3]
    assert pair.in_target("SELECT count(*) FROM users WHERE name = 'Changed'") == "0"


def test_writes_to_legacy_meanwhile(pair: Pair) -> None:
    """What legacy writes during the copy neither gets in by halves nor fails the verification."""
    with copy_held_at(pair, "users") as copy:
        pair.in_source(
            "UPDATE users SET name = 'Late' WHERE id = 1;"
            "INSERT INTO billing_history VALUES (900, 10, 1, 1, 'EUR', 'paid', '',"
            " '2024-03-01', NULL, NULL, 0);"
            "DELETE FROM subscription_plans WHERE id = 2"
        )
        out, errors = copy.go_on()
        assert copy.process.returncode == 0, errors
        assert json.loads(out)["verification"]["equal"] is True
    assert pair.target_rows() == [3, 2, 3, 3]
    found = pair.run("verify").differences
    assert {table: [one["kind"] for one in found[table]] for table in found} == {
        "users": ["changed"],
        "subscription_plans": ["extra"],
        "billing_history": ["missing"],
    }


def test_source_gone_in_the_middle(pair: Pair) -> None:
    """A source that goes away ends the copy with words, and nothing is committed."""
    with copy_held_at(pair, "users") as copy:
        pair.mariadb.sql(f"KILL CONNECTION USER '{pair.source.user}'@'{pair.source.host}'")
        _, errors = copy.go_on()
        assert copy.process.returncode == 2
        assert "error: the source mysql://" in errors
        assert "Traceback" not in errors
    assert pair.target_rows() == [0, 0, 0, 0]


def test_target_gone_in_the_middle(pair: Pair) -> None:
    """A target that goes away ends the copy with words, and nothing is committed."""
    with copy_held_at(pair, "users") as copy:
        pair.in_target(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'"
        )
        _, errors = copy.end()
        assert copy.process.returncode == 2
        assert "error: the target postgresql://" in errors
        assert "Traceback" not in errors
    assert pair.target_rows() == [0, 0, 0, 0]
