from __future__ import annotations

import json
from pathlib import Path

import pytest

from proxy.routing.override import Refusal, read_override
from proxy.routing.side import Side
from proxy.settings import OVERRIDE_KEY
from tests.support_commands import NOW, cutover

KEY = b"k" * 32


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Give the state directory of a proxy that has been started."""
    (tmp_path / OVERRIDE_KEY).write_bytes(KEY)
    return tmp_path


def read(line: str, after: float, route: str = "plans") -> Side | Refusal:
    """Read a header as the proxy would, so long after it was printed."""
    name, _, value = line.rstrip("\n").partition(": ")
    assert name == "Cutover-Side"
    return read_override(value.encode(), key=KEY, route=route, now=NOW + after, trusted=False)


def test_it_prints_a_header_that_the_proxy_takes(state: Path) -> None:
    """One line, good for the time that was asked for."""
    result = cutover("override-token", "--side", "modern", "--for", "1h", "--state", str(state))
    assert (result.code, result.err) == (0, "")
    assert result.out.count("\n") == 1
    assert read(result.out, after=3599) is Side.MODERN
    assert read(result.out, after=3600) is Refusal.EXPIRED


def test_it_can_be_limited_to_a_route(state: Path) -> None:
    """The directory may come from the environment, as with `cutover serve`."""
    arguments = ("override-token", "--side", "legacy", "--for", "30d", "--route", "plans")
    result = cutover(*arguments, environ={"CUTOVER_STATE": str(state)})
    assert read(result.out, after=0) is Side.LEGACY
    assert read(result.out, after=0, route="other") is Refusal.OTHER_ROUTE


def test_for_scripts_it_says_when_the_token_ends(state: Path) -> None:
    """With --json."""
    result = cutover(
        "override-token", "--side", "modern", "--for", "10s", "--state", str(state), "--json"
    )
    plain = json.loads(result.out)
    assert plain["expires"] == "2026-09-21T14:13:30+00:00"
    assert read(f"{plain['name']}: {plain['value']}", after=0) is Side.MODERN


@pytest.mark.parametrize("life", ["0s", "31d", "1", "1.5h", "-1h", "1w", "", "9999999d"])
def test_a_time_that_is_none_is_refused(state: Path, life: str) -> None:
    """And one that is too long: a pin in the rules is for that."""
    with pytest.raises(SystemExit) as caught:
        cutover("override-token", "--side", "modern", f"--for={life}", "--state", str(state))
    assert caught.value.code == 2


def test_a_route_that_no_rules_can_have_is_refused() -> None:
    """It would sign something else than it seems."""
    with pytest.raises(SystemExit) as caught:
        cutover("override-token", "--side", "modern", "--for", "1h", "--route", "a b")
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "No such file"), (b"", "has 0 bytes"), (b"x" * 31, "has 31 bytes")],
)
def test_without_a_key_it_says_which_directory_it_needs(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    """A key that is too short signs nothing: anybody could."""
    if content is not None:
        (tmp_path / OVERRIDE_KEY).write_bytes(content)
    result = cutover("override-token", "--side", "modern", "--for", "1h", "--state", str(tmp_path))
    assert (result.code, result.out) == (2, "")
    assert words in result.err
