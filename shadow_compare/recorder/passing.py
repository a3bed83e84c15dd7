"""Recording on the way: requests are written down here, and compared elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from shadow_compare.capture import Capture, is_recorded, without_recording
from shadow_compare.recorder.recorder import Recorder
from shadow_compare.redact import Redactor


class PassingRecorder:
    """Records on the host whose clients asked, before captures go to whatever host is free.

    `redactor_of` gives what redacts for a route, or None while its rules are not known.
    """

    def __init__(self, recorder: Recorder, redactor_of: Callable[[str], Redactor | None]) -> None:
        self._recorder = recorder
        self._redactor_of = redactor_of

    def __call__(self, frame: bytes) -> bytes | None:
        """Record what is to be; gives what goes on, or None. Raises CaptureError."""
        if not is_recorded(frame):
            return frame
        capture = Capture.decode(frame)
        self._recorder.take(capture, self._redactor_of(capture.route))
        return without_recording(frame)
