from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from proxy.commands.check import notes_on
from proxy.routing.schema import load_rules
from tests.support_commands import cutover

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
    assert "note: plan standard: 0% -> 10% -> 100%; steps are taken by hand" in result.out


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
    ("ignore", "note"),
    [
        ("{path: $.at, reason: r, until: 2026-02-28}", "for $.at ended on 2026-02-28"),
        ("{path: $.at, reason: r, until: 2026-03-01}", "for $.at ends on 2026-03-01"),
        ("{path: $.at, reason: r, until: 2026-03-15}", "for $.at ends on 2026-03-15"),
        ("{path: $.at, reason: r, until: 2026-03-16}", None),
        ("{path: $.data, reason: r}", "for $.data hides a critical path"),
        ("{path: '$.data[*].price', reason: r}", "for $.data[*].price hides a critical path"),
        ("{path: $.dat, reason: r}", None),
    ],
)
def test_ignore_rules_that_need_a_look_are_noted(ignore: str, note: str | None) -> None:
    """Ended, ending within two weeks, or in the way of what is called critical."""
    text = GOOD.replace("{path: $.at, reason: the clock, until: 2026-01-31}", ignore)
    text = text.replace("compare:", 'compare:\n      critical: ["$.data[*].price"]')
    notes = [n for n in notes_on(load_rules(text, "f")[1], date(2026, 3, 1)) if "ignore" in n]
    assert notes == ([] if note is None else [f"plans: the ignore rule {note}"])


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


def test_notes_say_what_may_surprise() -> None:
    """An ended ignore rule, a share without comparison, requests that nobody takes."""
    _, rules = load_rules(GOOD, "rules.yaml")
    notes = list(notes_on(rules, date(2026, 2, 1)))
    assert "plans: the ignore rule for $.at ended on 2026-01-31" in notes
    assert "plans: serves 12.5% from modern, and mirrors nothing" in notes
    assert any("answered 404" in note for note in notes)
    assert not any("ended on" in note for note in notes_on(rules, date(2026, 1, 31)))
