from __future__ import annotations

import os
from pathlib import Path

import pytest

from shadow_compare.recorder.recorder import Order, Recorder
from shadow_compare.redact import Redactor
from tests.support_shadow import a_capture

REDACTOR = Redactor(b"key")
FIRST = Order("20261201T120000Z", 1000.0, 10_000)


class Scene:
    """A recorder and the order that it is given."""

    def __init__(self, folder: Path, order: Order | None = FIRST) -> None:
        self.order = order
        self.folder = folder
        self.recorder = Recorder(folder, "shadow0", lambda: self.order)

    def take(self, at: float = 500.0, **changes: object) -> None:
        """Record one request."""
        self.recorder.take(a_capture(at=at, **changes), REDACTOR)

    def written(self, order: Order) -> int:
        """Count requests that were written for an order."""
        files = (self.folder / order.id).glob("*.gor")
        return sum(file.read_bytes().count(b"GET /api/plans") for file in files)


def test_requests_are_written_while_an_order_holds(tmp_path: Path) -> None:
    """Until its time is over, or it is taken back, or another one comes."""
    scene = Scene(tmp_path)
    scene.take()
    scene.take(at=1000.0)
    assert (scene.written(FIRST), scene.recorder.recorded) == (1, 1)
    assert scene.recorder.left_out == {"late": 1}
    scene.order = None
    scene.take()
    scene.order = second = Order("20261201T130000Z", 2000.0, 10_000)
    scene.take()
    assert (scene.written(FIRST), scene.written(second)) == (1, 1)
    assert (scene.recorder.recorded, dict(scene.recorder.left_out)) == (1, {})


def test_without_an_order_nothing_is_made(tmp_path: Path) -> None:
    """Not even a folder."""
    scene = Scene(tmp_path / "recordings", None)
    scene.take()
    scene.recorder.forget(9e9)
    assert list(tmp_path.iterdir()) == []


def test_what_is_full_writes_no_more(tmp_path: Path) -> None:
    """Also when a smaller one would still fit."""
    scene = Scene(tmp_path, Order(FIRST.id, 1000.0, 300))
    scene.take()
    scene.take(request_headers=(("host", "h"), ("a", "x" * 400)))
    scene.take()
    assert scene.recorder.recorded == scene.written(FIRST) == 1
    assert scene.recorder.left_out == {"size": 1, "late": 1}


def test_what_cannot_be_recorded_is_counted(tmp_path: Path) -> None:
    """And the others go on."""
    scene = Scene(tmp_path)
    kind = (("host", "h"), ("content-type", "text/plain"))
    scene.take(request_headers=kind, request_body="🐵🙈🙉".encode())
    scene.take()
    assert (scene.recorder.recorded, dict(scene.recorder.left_out)) == (1, {"separator": 1})


def test_a_folder_that_cannot_be_written_fails_nobody(tmp_path: Path) -> None:
    """The captures are compared all the same."""
    (tmp_path / FIRST.id).write_text("in the way")
    scene = Scene(tmp_path)
    scene.take()
    assert (scene.recorder.recorded, dict(scene.recorder.left_out)) == (0, {"late": 1})


@pytest.mark.parametrize(("age", "left"), [(50.0, 2), (150.0, 1)])
def test_recordings_that_are_too_old_are_removed(tmp_path: Path, age: float, left: int) -> None:
    """By their last file; never the one that is being written."""
    for name in ("20250101T000000Z", FIRST.id):
        (tmp_path / name).mkdir()
        file = tmp_path / name / "shadow0-0001.gor"
        file.write_text("x")
        os.utime(file, (1000.0 - age, 1000.0 - age))
    scene = Scene(tmp_path)
    scene.recorder.follow()
    scene.recorder.forget(900.0)
    assert len(list(tmp_path.iterdir())) == left
