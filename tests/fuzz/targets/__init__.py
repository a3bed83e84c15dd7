"""What is fuzzed: functions of bytes that raise when a promise is broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.fuzz.targets import answers, chunks, comparisons, exchange, fields, paths, requests

One = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Target:
    """One function, with the bytes of the largest input that is worth its time.

    The limits of the wire lie beyond: they are in the tables that every run begins with, and a run
    with `--largest 40000` now and then plays with them, at a tenth of the pace.
    """

    name: str
    one: One
    largest: int


TARGETS: Final[Mapping[str, Target]] = {
    target.name: target
    for target in (
        Target("requests", requests.one, 4_096),
        Target("answers", answers.one, 4_096),
        Target("chunks", chunks.one, 4_096),
        Target("paths", paths.one, 4_096),
        Target("fields", fields.one, 4_096),
        Target("exchange", exchange.one, 4_096),
        Target("comparisons", comparisons.one, 1_024),
    )
}
