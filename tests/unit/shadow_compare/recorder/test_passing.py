from __future__ import annotations

from pathlib import Path

import pytest

from shadow_compare.capture import Capture, CaptureError
from shadow_compare.recorder.passing import PassingRecorder
from shadow_compare.recorder.recorder import Order, Recorder
from shadow_compare.redact import Redactor
from tests.support_shadow import a_capture

ORDER = Order("20261201T120000Z", 1000.0, 10_000)


class Scene:
    """What passes by one host whose rules are known, or are not."""

    def __init__(self, folder: Path, *, knows: bool = True) -> None:
        self.folder = folder
        self.recorder = Recorder(folder, "forwarder", lambda: ORDER)
        redactor = Redactor(b"key") if knows else None
        self.pass_by = PassingRecorder(self.recorder, lambda _: redactor)

    def goes_on(self, *, recorded: bool, mirrored: bool = True) -> Capture | None:
        """Let a capture pass; give what goes on."""
        capture = a_capture(at=500.0, recorded=recorded, mirrored=mirrored)
        rest = self.pass_by(capture.encode()[4:])
        return None if rest is None else Capture.decode(rest)


def test_what_is_marked_is_written_and_goes_on_unmarked(tmp_path: Path) -> None:
    """So that nobody elsewhere looks for an order; what is not marked goes on as it came."""
    scene = Scene(tmp_path)
    assert scene.goes_on(recorded=True) == a_capture(at=500.0, recorded=False)
    assert scene.goes_on(recorded=False) == a_capture(at=500.0, recorded=False)
    assert scene.recorder.recorded == 1
    (file,) = (tmp_path / ORDER.id).glob("forwarder-*.gor")
    assert file.read_bytes().count(b"GET /api/plans") == 1


def test_what_is_recorded_only_goes_nowhere(tmp_path: Path) -> None:
    """There is nothing to compare it with."""
    scene = Scene(tmp_path)
    assert scene.goes_on(recorded=True, mirrored=False) is None
    assert scene.recorder.recorded == 1


def test_nothing_is_written_while_nobody_knows_what_is_secret(tmp_path: Path) -> None:
    """Counted; and it is compared all the same."""
    scene = Scene(tmp_path, knows=False)
    assert scene.goes_on(recorded=True) is not None
    assert (scene.recorder.recorded, scene.recorder.left_out) == (0, {"no_rules": 1})
    assert list(tmp_path.rglob("*.gor")) == []


def test_what_is_no_capture_is_told(tmp_path: Path) -> None:
    """By the error of whoever reads it."""
    with pytest.raises(CaptureError):
        Scene(tmp_path).pass_by(b"nothing")
