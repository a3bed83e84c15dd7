from __future__ import annotations

import orjson

from proxy.observe.span import Envelope, Kind, Span

TRACE, ID, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
SPAN = Span(TRACE, ID, "", "GET", Kind.SERVER, 1_700_000_000.0, 1_700_000_000.25, {})


def test_a_span_is_written_as_the_protocol_has_it() -> None:
    """Ids in hex, times as text in nanoseconds, enumerations as numbers, each value by its type."""
    span = Span(
        TRACE, ID, PARENT, "GET /api/plans", Kind.CLIENT, 1_700_000_000.0, 1_700_000_000.25,
        {"a": "x", "b": 5, "c": 0.5, "d": True},
        (("leased", 1_700_000_000.125),), ("c" * 32, "d" * 16), failed=True,
    )  # fmt: skip
    assert orjson.loads(span.encode()) == {
        "traceId": TRACE,
        "spanId": ID,
        "parentSpanId": PARENT,
        "flags": 1,
        "name": "GET /api/plans",
        "kind": 3,
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000000250000000",
        "attributes": [
            {"key": "a", "value": {"stringValue": "x"}},
            {"key": "b", "value": {"intValue": "5"}},
            {"key": "c", "value": {"doubleValue": 0.5}},
            {"key": "d", "value": {"boolValue": True}},
        ],
        "events": [{"timeUnixNano": "1700000000125000000", "name": "leased"}],
        "links": [{"traceId": "c" * 32, "spanId": "d" * 16, "flags": 1}],
        "status": {"code": 2},
    }


def test_what_there_is_not_is_not_written() -> None:
    """The first span of a trace has no parent, and one without trouble no status."""
    written = orjson.loads(SPAN.encode())
    assert not {"parentSpanId", "events", "links", "status"} & written.keys()


def test_spans_travel_with_who_has_made_them() -> None:
    """One resource and one scope around all spans of a request."""
    envelope = Envelope({"service.name": "cutover", "list": "[]"}, "0.1.0")
    for number in range(3):
        body = orjson.loads(envelope.around([SPAN.encode()] * number))
        [resource] = body["resourceSpans"]
        [scope] = resource["scopeSpans"]
        assert resource["resource"]["attributes"][0]["value"] == {"stringValue": "cutover"}
        assert scope["scope"] == {"name": "cutover", "version": "0.1.0"}
        assert [span["spanId"] for span in scope["spans"]] == [ID] * number
