"""Recording as a shadow worker does it, beside its comparing."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shadow_compare.capture import Capture
from shadow_compare.recorder.files import Files, FullError
from shadow_compare.recorder.payload import NotRecordableError, payload
from shadow_compare.redact import Redactor

_log = logging.getLogger("cutover.shadow")


@dataclass(frozen=True, slots=True)
class Order:
    """What one process is to record: `size` is its part of the bytes, `until` Unix seconds."""

    id: str
    until: float
    size: int


class Recorder:
    """Writes what it is given while an order holds; no failure of it leaves here.

    `order` gives the one in force, and is asked for each request.
    `recorded` counts requests of the order, `left_out` by reason what could not be recorded.
    """

    def __init__(self, folder: Path, name: str, order: Callable[[], Order | None]) -> None:
        self.recorded = 0
        self.left_out: Counter[str] = Counter()
        self._folder = folder
        self._name = name
        self._read = order
        self._order: Order | None = None
        self._files: Files | None = None

    def follow(self) -> None:
        """Look for the order in force; another one than before begins anew."""
        order = self._read()
        if order == self._order:
            return
        self._end("ended")
        self._order = order
        self.recorded, self.left_out = 0, Counter()
        if order is None:
            return
        try:
            self._files = Files(self._folder / order.id, self._name, order.size)
        except OSError as error:
            _log.error("recording %s cannot be written: %s", order.id, error)

    def take(self, capture: Capture, redactor: Redactor | None) -> None:
        """Record a request, if an order still holds and there is room.

        Without a redactor nobody knows yet what its route calls secret, and it is left out.
        """
        self.follow()
        if redactor is None:
            self.left_out["no_rules"] += 1
            return
        if self._files is None or self._order is None or capture.at >= self._order.until:
            self.left_out["late"] += 1
            return
        try:
            self._files.append(payload(capture, redactor))
        except FullError as error:
            self.left_out[str(error)] += 1
            self._end(f"is full ({error})")
        except NotRecordableError as error:
            self.left_out[str(error)] += 1
        except Exception:
            self.left_out["error"] += 1
            _log.exception("recording a request of %s failed", capture.route)
        else:
            self.recorded += 1

    def forget(self, before: float) -> None:
        """Remove recordings whose last file is older than this time (Unix seconds)."""
        if not self._folder.is_dir():
            return
        for folder in self._folder.iterdir():
            if self._order is not None and folder.name == self._order.id:
                continue
            if max((each.stat().st_mtime for each in folder.glob("*")), default=0.0) < before:
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """End."""
        self._end("is interrupted")

    def _end(self, how: str) -> None:
        files, self._files, order = self._files, None, self._order
        if files is None or order is None:
            return
        files.close()
        _log.info(
            "recording %s %s: %d requests, %d bytes in %s, left out %s",
            order.id, how, self.recorded, files.written, self._folder / order.id,
            dict(self.left_out),
        )  # fmt: skip
