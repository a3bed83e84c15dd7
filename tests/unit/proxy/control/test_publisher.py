from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from proxy.control.bus.memory import MemoryBus
from proxy.control.publisher import Publisher
from proxy.routing.schema import load_rules
from proxy.snapshot import Snapshot
from tests.contracts.store import version
from tests.support_control import RULES

DOCUMENT, PARSED = load_rules(RULES, "rules")
SNAPSHOT = Snapshot(3, DOCUMENT, PARSED, frozenset({"plans"}))


class Bus(MemoryBus):
    """A bus that remembers what was published."""

    def __init__(self) -> None:
        super().__init__(lambda *_: None, lambda *_: None)
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def publish(self, kind: str, payload: dict[str, Any]) -> None:
        """Remember."""
        self.sent.append((kind, payload))


@pytest.fixture
def bus() -> Bus:
    """Give a bus."""
    return Bus()


@pytest.fixture
async def publisher(tmp_path: Path, bus: Bus) -> Publisher:
    """Give a publisher with its bus open."""
    publisher = Publisher(tmp_path / "state" / "snapshot.json", lambda *_: bus)
    await publisher.start(lambda *_: None, lambda *_: None)
    return publisher


async def test_published_to_those_here_and_those_to_come(
    publisher: Publisher, bus: Bus, tmp_path: Path
) -> None:
    """A snapshot goes to the bus, and to a file from which a worker reads the same."""
    publisher.publish(SNAPSHOT, version(3))
    assert bus.sent == [("snapshot", SNAPSHOT.to_wire())]
    content = orjson.loads((tmp_path / "state" / "snapshot.json").read_bytes())
    assert Snapshot.from_wire(content).to_wire() == SNAPSHOT.to_wire()
    assert publisher.last() == version(3)


async def test_nothing_published_yet(publisher: Publisher) -> None:
    """Before the first publication there is nothing to read back."""
    assert publisher.last() is None


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b'{"record": {"number": 1}}', b"[]"])
async def test_rubbish_in_the_file(publisher: Publisher, tmp_path: Path, content: bytes) -> None:
    """A file that says nothing useful is as good as none."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "snapshot.json").write_bytes(content)
    assert publisher.last() is None


async def test_file_that_cannot_be_written(publisher: Publisher, bus: Bus, tmp_path: Path) -> None:
    """A full disk is told, costs nobody his snapshot, and ends when there is room again."""
    (tmp_path / "state").write_text("a file where the directory should be")
    publisher.publish(SNAPSHOT, version(3))
    assert len(bus.sent) == 1
    problems = [publisher.problem]
    publisher.mend()
    problems.append(publisher.problem)
    assert all(problems)
    (tmp_path / "state").unlink()
    publisher.mend()
    assert publisher.problem is None
    assert publisher.last() == version(3)


async def test_deleted_file_comes_back(publisher: Publisher, tmp_path: Path) -> None:
    """A file that somebody deletes is written again."""
    publisher.publish(SNAPSHOT, version(3))
    (tmp_path / "state" / "snapshot.json").unlink()
    publisher.mend()
    assert publisher.last() == version(3)
