"""One span of a trace, and OTLP's JSON for it (opentelemetry-proto, trace.proto; OTLP 1.x)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import orjson

Value = str | int | float | bool

_SAMPLED: Final = 1
_ERROR: Final = 2
_SECOND: Final = 1_000_000


class Kind(IntEnum):
    """Who a span is to the other end, by its number in the protocol."""

    SERVER = 2
    CLIENT = 3


@dataclass(frozen=True, slots=True)
class Span:
    """One piece of work. Ids are lower-case hex; `parent` is empty for the first of a trace.

    `begun` and `ended` are Unix seconds, as are the times of `events`. `link` is trace and span of
    what this one is about without being a part of it. `failed` says so.
    """

    trace: str
    id: str
    parent: str
    name: str
    kind: Kind
    begun: float
    ended: float
    attributes: Mapping[str, Value]
    events: tuple[tuple[str, float], ...] = ()
    link: tuple[str, str] | None = None
    failed: bool = False

    def encode(self) -> bytes:
        """As JSON: ids in hex, enumerations as numbers, 64-bit integers as text."""
        plain: dict[str, Any] = {
            "traceId": self.trace,
            "spanId": self.id,
            "flags": _SAMPLED,
            "name": self.name,
            "kind": int(self.kind),
            "startTimeUnixNano": _nanoseconds(self.begun),
            "endTimeUnixNano": _nanoseconds(self.ended),
            "attributes": attributes(self.attributes),
        }
        if self.parent:
            plain["parentSpanId"] = self.parent
        if self.events:
            plain["events"] = [
                {"timeUnixNano": _nanoseconds(at), "name": name} for name, at in self.events
            ]
        if self.link is not None:
            trace, span = self.link
            plain["links"] = [{"traceId": trace, "spanId": span, "flags": _SAMPLED}]
        if self.failed:
            plain["status"] = {"code": _ERROR}
        return orjson.dumps(plain)


class Envelope:
    """What stands around the spans of one process: who has made them."""

    def __init__(self, resource: Mapping[str, Value], version: str) -> None:
        scope = {"name": "cutover", "version": version}
        opened = {
            "resourceSpans": [
                {
                    "resource": {"attributes": attributes(resource)},
                    "scopeSpans": [{"scope": scope, "spans": []}],
                }
            ]
        }
        self._before, mark, self._after = orjson.dumps(opened).rpartition(b"[]")
        self._before, self._after = self._before + mark[:1], mark[1:] + self._after

    def around(self, spans: Iterable[bytes]) -> bytes:
        """Give the body of one request with these encoded spans."""
        return b"".join((self._before, b",".join(spans), self._after))


def attributes(values: Mapping[str, Value]) -> list[dict[str, Any]]:
    """Give attributes as the protocol has them."""
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Value) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}


def _nanoseconds(at: float) -> str:
    return f"{int(at * _SECOND)}000"  # a float of today is exact to a quarter of a microsecond
