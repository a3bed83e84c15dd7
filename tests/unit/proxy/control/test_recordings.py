from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from proxy.clock import FakeClock
from proxy.control.recordings import Recordings
from proxy.errors import ConflictError, RefusedError
from proxy.recording import Recording, RecordingFile
from tests.support_control import Scene


class Desk:
    """Recordings of one directory, with a clock and a journal that is a list."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.file = RecordingFile(folder)
        self.noted: list[tuple[str, str, str]] = []
        self.evidence: dict[str, Any] = {}
        self.recordings = Recordings(self.file, self.clock.wall, self._note)

    def order(self, author: str = "ada", seconds: float = 60.0) -> Recording:
        """Write an order of something that begins now."""
        now = self.clock.wall()
        return Recording.begun(now, now + seconds, ["plans"], 0.1, 1000, author, "a test")

    def _note(self, action: str, author: str, reason: str, evidence: dict[str, Any]) -> None:
        self.noted.append((action, author, reason))
        self.evidence = evidence


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Give a desk where nothing is recorded."""
    return Desk(tmp_path)


def test_what_is_started_here_is_noted_at_once(desk: Desk) -> None:
    """With who and why, and what; and stands where workers look for it."""
    desk.recordings.start(desk.order())
    assert desk.noted == [("record", "ada", "a test")]
    assert (desk.evidence["routes"], desk.evidence["share"]) == (["plans"], 0.1)
    assert desk.recordings.now == desk.file.read() == desk.order()
    desk.recordings.follow()
    assert len(desk.noted) == 1


def test_what_somebody_else_ordered_is_noted_as_theirs(desk: Desk) -> None:
    """A command on this host, and that it was stopped by one."""
    desk.file.write(desk.order("grace"))
    desk.recordings.follow()
    desk.file.remove()
    desk.recordings.follow()
    assert desk.noted == [("record", "grace", "a test"), ("record_end", "host", "it was stopped")]


def test_one_that_is_over_has_ended_by_itself(desk: Desk) -> None:
    """Although its file is there still; another may begin."""
    desk.recordings.start(desk.order())
    desk.clock.advance(60.0)
    desk.recordings.follow()
    assert desk.noted[-1] == ("record_end", "cutover", "its time was over")
    assert desk.recordings.now is None
    desk.recordings.start(desk.order("grace"))
    assert desk.noted[-1] == ("record", "grace", "a test")


async def test_a_recording_goes_on_when_the_controller_is_another(tmp_path: Path) -> None:
    """It stands in the journal once, however often the controller dies; and so does its end."""
    scene = Scene(tmp_path)
    await scene.start()
    now = scene.clock.wall()
    order = Recording.begun(now, now + 600.0, ["plans"], 0.1, 1000, "ada", "a test")
    scene.controller.recordings.start(order)
    for _ in range(2):
        await scene.controller.close()
        await scene.start()
        scene.pass_time(1.0)
        assert scene.controller.recordings.now == order
    scene.pass_time(700.0)
    await scene.controller.close()
    await scene.start()
    scene.pass_time(1.0)
    told = [each.action for each in await scene.controller.decisions(limit=50)]
    assert [each for each in told if each.startswith("record")] == ["record_end", "record"]


async def test_what_nobody_noted_is_noted_by_the_next(tmp_path: Path) -> None:
    """An order that was given while no controller was there."""
    scene = Scene(tmp_path)
    now = scene.clock.wall()
    order = Recording.begun(now, now + 600.0, [], 0.1, 1000, "ada", "a test")
    RecordingFile(tmp_path).write(order)
    await scene.start()
    scene.pass_time(1.0)
    assert "record" in [each.action for each in await scene.controller.decisions(limit=50)]


def test_nobody_ends_that_of_somebody_else_by_starting(desk: Desk) -> None:
    """Whoever started, here or by a command a moment ago, is named."""
    desk.file.write(desk.order("grace"))
    with pytest.raises(RefusedError, match="grace records already, since 20"):
        desk.recordings.start(desk.order())
    assert desk.recordings.now == desk.order("grace")
    assert desk.noted == [("record", "grace", "a test")]


def test_who_stops_is_noted_with_the_reason(desk: Desk) -> None:
    """Once; then there is nothing to stop."""
    desk.recordings.start(desk.order())
    assert desk.recordings.stop("grace", "enough", desk.order().id) == desk.order()
    desk.recordings.follow()
    assert desk.noted[1:] == [("record_end", "grace", "enough")]
    assert desk.file.read() is None
    with pytest.raises(RefusedError, match="nothing is being recorded"):
        desk.recordings.stop("grace", "enough")


def test_another_one_than_was_looked_at_goes_on(desk: Desk) -> None:
    """It has begun since, and somebody waits for it."""
    desk.recordings.start(desk.order())
    with pytest.raises(ConflictError, match="ada records by now"):
        desk.recordings.stop("grace", "enough", "20200101T000000Z")
    assert desk.recordings.now == desk.order()


def test_a_directory_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """And nothing is noted."""
    desk = Desk(tmp_path / "missing")
    with pytest.raises(RefusedError, match="nothing can be recorded"):
        desk.recordings.start(desk.order())
    assert desk.noted == []


def test_of_many_who_start_at_once_one_does(tmp_path: Path) -> None:
    """Each with a file object of its own, as processes have."""
    desk, found = Desk(tmp_path), []
    begin = threading.Barrier(8)

    def start(name: str) -> None:
        begin.wait()
        found.append(RecordingFile(tmp_path).begin(desk.order(name), desk.clock.wall()))

    threads = [threading.Thread(target=start, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = {each.author for each in found if each is not None}
    assert found.count(None) == 1
    running = desk.file.read()
    assert running is not None
    assert running.author == winner


async def test_the_controller_follows_and_the_rules_do_not_change(tmp_path: Path) -> None:
    """At each tick; the journal has it without a version."""
    scene = Scene(tmp_path)
    controller = await scene.start()
    now = scene.clock.wall()
    order = Recording.begun(now, now + 60, [], 1.0, 1000, "ada", "a test")
    RecordingFile(scene.directory).write(order)
    scene.pass_time(0.05)
    assert controller.status().recording == order
    (latest,) = await controller.decisions(limit=1)
    assert (latest.action, latest.author) == ("record", "ada")
    assert controller.status().version == 1
