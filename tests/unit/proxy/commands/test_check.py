from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support_commands import cutover, filled_client

GOOD = """\
version: 1
upstreams:
  legacy: {instances: ["http://127.0.0.1:8081"]}
  modern: {instances: ["http://127.0.0.1:8082"]}
plans:
  standard: [{weight: 0%}, {weight: 10%}, {weight: 100%}]
routes:
  - id: plans
    match: {method: [GET], path: /api/plans}
    weight: 12.5%
    plan: standard
    compare:
      ignore: [{path: $.at, reason: the clock, until: 2026-01-31}]
"""
BAD = GOOD.replace("12.5%", "120%").replace("plan: standard", "plan: standrad")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a place for a rules file."""
    return tmp_path / "rules.yaml"


def test_a_good_file_is_summed_up_with_notes(file: Path) -> None:
    """Routes as a table, then what is valid but may surprise."""
    file.write_text(GOOD)
    result = cutover("check", str(file))
    assert (result.code, result.err) == (0, "")
    assert "plans  GET /api/plans   12.5%      0%  standard" in result.out
    assert f"{file} is valid: 1 route.\n" in result.out
    assert "serves 12.5% from modern, and mirrors nothing" in result.out
    assert "note: plan standard: 0% -> 10% -> 100%; each step is taken by itself" in result.out


def test_every_problem_is_told_with_its_place(file: Path) -> None:
    """File, line and column, in one run, and exit 1."""
    file.write_text(BAD)
    result = cutover("check", str(file))
    assert (result.code, result.out) == (1, "")
    assert f"{file}:10:" in result.err
    assert f"{file}:11:" in result.err
    assert f"{file}: 2 problems." in result.err


def test_scripts_get_json(file: Path) -> None:
    """Problems as objects, with line and column as numbers."""
    file.write_text(BAD)
    found = json.loads(cutover("check", "--json", str(file)).out)
    assert found["valid"] is False
    assert [problem["line"] for problem in found["problems"]] == [10, 11]
    file.write_text(GOOD)
    found = json.loads(cutover("check", "--json", str(file)).out)
    assert found["valid"] is True
    assert found["routes"][0]["weight"] == "12.5%"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        (b"version: \xff", "is not UTF-8"),
        (b"", "the file is empty"),
        (b"\x00", "not valid YAML"),
    ],
)
def test_what_is_no_rules_file_is_said_so(file: Path, content: bytes | None, words: str) -> None:
    """Never a traceback."""
    if content is not None:
        file.write_bytes(content)
    result = cutover("check", str(file))
    assert result.code == 1
    assert words in result.err


def test_a_directory_is_not_a_rules_file(tmp_path: Path) -> None:
    """The operating system's reason is passed on."""
    result = cutover("check", str(tmp_path))
    assert result.code == 1
    assert "cannot be read" in result.err


def test_plans_are_judged_by_the_traffic_of_a_running_proxy(file: Path) -> None:
    """With --traffic, over the API; a route that the proxy does not have yet has none."""
    gate = "{weight: 10%, until: {requests: 1000000000}}"
    file.write_text(GOOD.replace("{weight: 10%}", gate))
    client = filled_client()
    client.answers["/routes"] = {"routes": client.answers["/status"]["routes"]}
    result = cutover("check", str(file), "--traffic", client=client)
    assert "step 2 of plan standard (10%) waits for 1,000,000,000 requests" in result.out
    assert " days at the " in result.out
    client.answers["/routes"] = {"routes": []}
    assert "no traffic is seen" in cutover("check", str(file), "--traffic", client=client).out
    assert "step 2" not in cutover("check", str(file)).out
