from __future__ import annotations

from pathlib import Path

import pytest

from deploy.stack import Options, Ports, Stack, StackError
from deploy.stack.stack import NEEDS, waves


@pytest.fixture
def laid_out(tmp_path: Path) -> Stack:
    """Give a stack of which nothing runs."""
    return Stack(tmp_path, Ports(proxy=9080, legacy=9081, modern=9082))


def test_every_part_comes_after_what_it_needs() -> None:
    """The waves of a whole start respect every need, and hold every part once."""
    order = [name for wave in waves(tuple(NEEDS)) for name in wave]
    assert sorted(order) == sorted(NEEDS)
    assert all(order.index(need) < order.index(name) for name in NEEDS for need in NEEDS[name])


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("redis",), [["redis"]]),
        (("legacy",), [["mariadb", "redis"], ["seed"], ["legacy"]]),
        (("schema", "redis"), [["postgres", "redis"], ["schema"]]),
        ((), []),
    ],
)
def test_only_what_is_needed_is_started(asked: tuple[str, ...], expected: list[list[str]]) -> None:
    """Asking for a part starts its needs, side by side where they can be, and nothing else."""
    assert waves(asked) == expected


def test_needs_name_servers_and_tasks_that_exist(laid_out: Stack) -> None:
    """The table of needs and the parts of a stack are the same names."""
    assert set(NEEDS) == {*laid_out.servers, *laid_out.tasks}


def test_laying_out_starts_nothing(laid_out: Stack) -> None:
    """A stack that was only built has no process and nothing healthy."""
    assert {(one.pid, one.healthy) for one in laid_out.status()} == {(None, False)}


def test_an_unknown_server_is_refused_with_those_there_are(laid_out: Stack) -> None:
    """A wrong name is answered with the right ones."""
    with pytest.raises(StackError, match="there is no server named 'nginx'; there are: mariadb"):
        laid_out.server("nginx")


def test_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    """Two stacks over one run directory share their secrets, which only the owner may read."""
    first, second = Stack(tmp_path).environment(), Stack(tmp_path).environment()
    assert first == second
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o600


def test_two_stacks_never_share_a_secret(tmp_path: Path) -> None:
    """No password is a constant."""
    one, other = (Stack(tmp_path / name).environment() for name in ("one", "other"))
    secret = ("DATABASE_URL", "LEGACY_DATABASE_URL", "SECRET_KEY")
    assert all(one[name] != other[name] for name in secret)


def test_the_fault_switch_exists_only_where_it_was_asked_for(tmp_path: Path) -> None:
    """MODERN_FAULTS reaches the modern application in the demonstration alone."""
    plain = Stack(tmp_path).modern.command().env
    demo = Stack(tmp_path, options=Options(faults=True)).modern.command().env
    assert "MODERN_FAULTS" not in plain
    assert demo["MODERN_FAULTS"] == "1"


def test_no_secret_is_on_a_command_line(laid_out: Stack) -> None:
    """Arguments are readable for every user of the machine, so none holds a secret."""
    secrets = {laid_out.environment()["SECRET_KEY"], laid_out.seed.database.password}
    for name in ("modern", "celery-worker", "celery-beat", "cutover"):
        arguments = " ".join(laid_out.server(name).command().argv)
        assert not any(secret in arguments for secret in secrets), name
