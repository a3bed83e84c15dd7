"""`cutover replay` as a process of its own, against two applications that listen."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support_commands import Result, cutover
from tests.support_shadow import Side, http_answer, listening


class Sides:
    """Two applications that differ where the number of the request ends with 7."""

    def __init__(self) -> None:
        self.legacy = Side(lambda head: self._answer(head, b"1"))
        self.modern = Side(
            lambda head: self._answer(head, b"2" if self._number(head) == "7" else b"1")
        )

    @staticmethod
    def _number(head: str) -> str:
        return head.split(" ")[1][-1]

    @staticmethod
    def _answer(_head: str, value: bytes) -> bytes:
        return http_answer(b'{"price":' + value + b"}")

    def asked(self, side: Side) -> Counter[str]:
        """Count the request lines that a side has seen."""
        return Counter(head.split(" HTTP")[0] for head in side.heads)

    @property
    def where(self) -> tuple[str, ...]:
        """Options that say where both are."""
        legacy, modern = (f"http://127.0.0.1:{s.port}" for s in (self.legacy, self.modern))
        return ("--legacy", legacy, "--modern", modern)

    async def told(self, file: Path, *options: str) -> Result:
        """Run the command in this process."""
        return await asyncio.to_thread(cutover, "replay", str(file), *self.where, *options)

    async def replay(self, file: Path, *options: str, kill_after: int = 0) -> tuple[int, str, str]:
        """Run the command; it is killed as soon as so many requests have come."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "proxy", "replay", str(file), *self.where, *options,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        while kill_after and len(self.modern.heads) < kill_after:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.005)
        if kill_after:
            process.send_signal(signal.SIGKILL)
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()


@asynccontextmanager
async def two_sides() -> AsyncIterator[Sides]:
    """Let both listen."""
    sides = Sides()
    async with listening(sides.legacy), listening(sides.modern):
        yield sides


def log_of(count: int, method: str = "GET") -> str:
    """Write an access log of so many requests, and one line that is none."""
    lines = [f'::1 - - [x] "{method} /p/{number} HTTP/1.1" 200 1' for number in range(count)]
    return "\n".join(["broken", *lines, ""])


def whole(report: dict[str, Any]) -> tuple[int, int, dict[str, int]]:
    """Give what was compared, differed, and was not compared."""
    compared = sum(each["compared"] for each in report["coverage"])
    mismatch = sum(each["mismatch"] for each in report["coverage"])
    reasons: Counter[str] = Counter()
    for each in report["coverage"]:
        reasons.update(each["not_compared"])
    return compared, mismatch, dict(reasons)


async def test_a_killed_replay_goes_on_and_counts_everything_once(tmp_path: Path) -> None:
    """Whatever was under way when it was killed is asked again, and counted once."""
    file, page = tmp_path / "access.log", tmp_path / "report.html"
    file.write_text(log_of(200))
    async with two_sides() as sides:
        await sides.replay(file, "--rate", "100", kill_after=80)
        before = len(sides.modern.heads)
        code, out, err = await sides.replay(file, "--json", "--html", str(page))
    assert code == 1, err
    assert "10% of 200 pairs differ; tolerated: at most 0% of at least 1" in err
    report = json.loads(out)
    assert whole(report) == (200, 20, {"unreadable": 1})
    assert [each["paths"] for each in report["differences"]] == [["$.price"]]
    assert before < 200 <= len(sides.modern.heads) < 200 + before
    assert set(sides.asked(sides.modern)) == {f"GET /p/{n}" for n in range(200)}
    assert "Replay of access.log" in page.read_text()


async def test_writes_are_sent_only_with_words_and_never_twice(tmp_path: Path) -> None:
    """Without them they are counted; those under way at a kill are counted, and not sent again."""
    file = tmp_path / "access.log"
    file.write_text(log_of(40, "POST"))
    async with two_sides() as sides:
        safe = await sides.told(file, "--state", str(tmp_path / "safe.db"), "--json")
        assert whole(json.loads(safe.out)) == (0, 0, {"unsafe_method": 40, "unreadable": 1})
        assert safe.code == 1
        assert sides.modern.heads == []
        await sides.replay(file, "--writes", "copies", "--rate", "100", kill_after=20)
        _, out, err = await sides.replay(file, "--writes", "copies", "--json")
        seen = sides.asked(sides.legacy), sides.asked(sides.modern)
    report = json.loads(out)
    compared, _, reasons = whole(report)
    assert compared + reasons.get("interrupted", 0) == 40, err
    assert all(count == 1 for asked in seen for count in asked.values())
    assert report["notes"][0] == "Writes were sent to both sides: copies"


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (("--max-mismatch", "10%"), 0, ""),
        (("--max-mismatch", "9.9%"), 1, "tolerated: at most 9.9%"),
        (("--max-mismatch", "100%", "--min-compared", "21"), 1, "of at least 21"),
        (("--writes", " "), 2, "say in a few words why"),
        (("--max-mismatch", "some"), 2, "is not a share"),
        (("--modern", "http://127.0.0.1:1"), 1, "nothing was compared"),
    ],
)
async def test_thresholds_decide_the_exit_code(
    tmp_path: Path, options: tuple[str, ...], code: int, told: str
) -> None:
    """No difference without comparisons is no success."""
    file = tmp_path / "access.log"
    file.write_text(log_of(20))
    async with two_sides() as sides:
        found = await sides.told(file, *options)
    assert (found.code, told in found.err) == (code, True), found.err
    if code == 0:
        lines = [line.split() for line in found.out.splitlines()]
        assert ["replay", "GET", "2xx", "20", "of", "20", "2"] in lines
        assert "note: access.log:1: is no line of an access log" in found.out
