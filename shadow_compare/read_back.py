"""From a write to the request that reads what it has done (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

import orjson

from shadow_compare.capture import Capture, Headers
from shadow_compare.normalize import Answer, NotComparableError, decoded_body
from shadow_compare.paths import parse_pattern
from shadow_compare.translate import Translation

_OF_THE_WRITE: Final = ("content-", "idempotency-key", "origin")


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What is read on both sides after a write of a route.

    `path` has `{name}` for what comes from the write: the segment at the place that `segments` says
    in its own path, or what is found in its answer by the keys and indexes of `members`. It is read
    first `after` seconds, and both sides must agree `within` seconds. `translate` is where `path`
    has ids that each side gives.
    """

    path: str
    segments: Mapping[str, int] = field(default_factory=dict)
    members: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)
    after: float = 1.0
    within: float = 10.0
    translate: tuple[Translation, ...] = ()

    def request(self, write: Capture) -> Capture:
        """Give the read, by who has written; raises NotComparableError (no_id)."""
        target = self.path
        for name, place in self.segments.items():
            target = _filled(target, name, _segment(write.target, place))
        if self.members:
            document = _document(write)
            for name, keys in self.members.items():
                target = _filled(target, name, quote(_member(document, keys), safe=""))
        return replace(
            write,
            method="GET",
            target=target,
            request_headers=_of_a_read(write.request_headers),
            request_body=b"",
        )


def member_keys(text: str) -> tuple[str | int, ...]:
    """Read a place in an answer, such as `$.data[0].id`; raises ValueError."""
    steps = parse_pattern(text)[1:]
    keys = tuple(step for step in steps if isinstance(step, str | int))
    if len(keys) != len(steps):
        raise ValueError(f"`{text}` is more than one place")
    return keys


def was_carried_out(write: Capture) -> bool:
    """Whether there is anything to be read back."""
    return 200 <= write.status < 300


def _filled(target: str, name: str, value: str) -> str:
    return target.replace(f"{{{name}}}", value)


def _segment(target: str, place: int) -> str:
    parts = target.partition("?")[0][1:].split("/")
    if place >= len(parts) or not parts[place]:
        raise NotComparableError("no_id")
    return parts[place]


def _document(write: Capture) -> Any:
    answer = Answer(write.status, write.headers, write.body, write.truncated)
    try:
        return orjson.loads(decoded_body(answer))
    except ValueError as error:
        raise NotComparableError("no_id") from error


def _member(document: Any, keys: tuple[str | int, ...]) -> str:
    found = document
    for key in keys:
        try:
            found = found[key]
        except (KeyError, IndexError, TypeError) as error:
            raise NotComparableError("no_id") from error
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise NotComparableError("no_id")
    return str(found)


def _of_a_read(headers: Headers) -> Headers:
    return tuple(pair for pair in headers if not pair[0].startswith(_OF_THE_WRITE))
