"""What is fuzzed: functions of bytes that raise when a promise is broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.fuzz.targets import answers, chunks, fields, paths, requests

One = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Target:
    """One function, with the bytes of the largest input that is worth its time."""

    name: str
    one: One
    largest: int


TARGETS: Final[Mapping[str, Target]] = {
    target.name: target
    for target in (
        Target("requests", requests.one, 40_000),
        Target("answers", answers.one, 40_000),
        Target("chunks", chunks.one, 20_000),
        Target("paths", paths.one, 4_096),
        Target("fields", fields.one, 4_096),
    )
}
