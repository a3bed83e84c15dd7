from __future__ import annotations

import json
from pathlib import Path

import pytest

from proxy.control.interval import Interval, SideCounts
from tests.support_commands import FakeClient, cutover
from tests.unit.proxy.control.test_simulate import POLICY

SEEN = SideCounts(100, 0, 100, 0, {200: 100})


@pytest.fixture
def policy(tmp_path: Path) -> str:
    """Give the path of a policy."""
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return str(path)


class Paged(FakeClient):
    """Gives ten recorded minutes in pages of six."""

    def get(self, path: str, **query: str | int | None) -> dict[str, object]:
        """Give a page."""
        self.asked.append((path, {k: v for k, v in query.items() if v is not None}))
        after = int(query.get("after") or 0)
        numbers = range(after + 1, min(after + 6, 10) + 1)
        rows = [
            Interval("plans", 1_790_000_000.0 + 60 * n, 60.0, 1, 0, SEEN, SEEN, {"match": 60})
            for n in numbers
        ]
        more = numbers[-1] if numbers and numbers[-1] < 10 else None
        return {"outcomes": [row.to_plain() for row in rows], "next_after": more}


def test_what_it_would_have_done(policy: str) -> None:
    """When, from where to where, and why; and where that ends."""
    client = Paged()
    arguments = ("simulate", "--policy", policy, "--from", "2026-09-21", "--to", "2026-09-22")
    result = cutover(*arguments, client=client)
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0] == "10 recorded minutes since 2026-09-21"
    moves = [line for line in lines if "advance" in line]
    assert moves[0].startswith("2026-09-21 14:15:")
    assert "0%   10%  step 1 of 4 is satisfied; the next is 10%" in moves[0]
    assert [line.split()[:3] for line in lines if line.startswith("plans")][-1][1] == "100%"
    asked = [query for _, query in client.asked]
    assert asked == [
        {"since": "2026-09-21", "until": "2026-09-22", "limit": 500},
        {"since": "2026-09-21", "until": "2026-09-22", "limit": 500, "after": 6},
    ]


def test_for_scripts(policy: str) -> None:
    """Moves and endings as JSON, of one route if one is named."""
    arguments = ("simulate", "--policy", policy, "--from", "2026-09-21", "--json")
    found = json.loads(cutover(*arguments, "--route", "plans", client=Paged()).out)
    assert found["minutes"] == 10
    assert {move["route"] for move in found["moves"]} == {"plans"}
    assert [ending["route"] for ending in found["endings"]] == ["plans"]


def test_nothing_recorded(policy: str) -> None:
    """Is said, and nothing more."""
    client = FakeClient(answers={"/outcomes": {"outcomes": [], "next_after": None}})
    result = cutover("simulate", "--policy", policy, "--from", "2026-09-21", client=client)
    assert result.out == "0 recorded minutes since 2026-09-21\n"


def test_a_policy_that_is_none(tmp_path: Path, policy: str) -> None:
    """A file that is not there, or refused, or without the route, is told with the reason."""
    missing = cutover("simulate", "--policy", str(tmp_path / "no"), "--from", "x", client=Paged())
    assert (missing.code, "No such file" in missing.err) == (2, True)
    (tmp_path / "bad").write_text("version: 2\n")
    bad = cutover("simulate", "--policy", str(tmp_path / "bad"), "--from", "x", client=Paged())
    assert (bad.code != 0, "bad:1:1" in bad.err) == (True, True)
    (tmp_path / "latin").write_bytes(b"version: 1 # \xff\n")
    latin = cutover("simulate", "--policy", str(tmp_path / "latin"), "--from", "x", client=Paged())
    assert (latin.code, "not UTF-8" in latin.err) == (2, True)
    arguments = ("simulate", "--policy", policy, "--from", "x", "--route", "nowhere")
    assert "no route `nowhere`" in cutover(*arguments, client=Paged()).err
