from __future__ import annotations

import pytest

from shadow_compare.asking import request_bytes
from shadow_compare.traced import trace_of
from tests.support_shadow import a_capture

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_second_request_begins_a_trace_and_is_linked() -> None:
    """Its ids are its own; the first request's are where it points to."""
    capture = a_capture(provenance=(("traceparent", f"00-{TRACE}-{SPAN}-01"),))
    first, second = trace_of(capture), trace_of(capture)
    assert first is not None
    assert second is not None
    assert first.link == second.link == (TRACE, SPAN)
    assert len({first.id, second.id, TRACE}) == 3
    assert first.context == f"00-{first.id}-{first.span}-01"


@pytest.mark.parametrize(
    "value", ["", "nonsense", f"00-{TRACE}-{SPAN}-00", f"01-{TRACE}-{SPAN}-01"]
)
def test_what_is_not_traced_begins_none(value: str) -> None:
    """Nothing but what a data plane of ours has written."""
    assert trace_of(a_capture(provenance=(("traceparent", value),))) is None
    assert trace_of(a_capture()) is None


def test_the_other_side_is_told_its_own_trace() -> None:
    """Never that of the client, whether the second request is traced or not."""
    capture = a_capture(
        provenance=(("via", "1.1 cutover"), ("traceparent", f"00-{TRACE}-{SPAN}-01"))
    )
    trace = trace_of(capture)
    assert trace is not None
    untraced, traced = request_bytes(capture, None, None), request_bytes(capture, None, None, trace)
    assert b"traceparent" not in untraced
    assert traced.count(b"traceparent") == 1
    assert f"traceparent: {trace.context}\r\n".encode() in traced
    assert b"via: 1.1 cutover\r\n" in untraced
