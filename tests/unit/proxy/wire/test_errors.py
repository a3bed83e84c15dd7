from __future__ import annotations

import pytest

from proxy.wire.errors import ProxyHeaderError, RequestError, ResponseError, WireError


@pytest.mark.parametrize(
    "error",
    [RequestError(400, "why"), ResponseError("why"), ProxyHeaderError("why"), WireError("why")],
)
def test_errors_say_why(error: WireError) -> None:
    """Every error of the wire is a WireError that says why."""
    assert isinstance(error, WireError)
    assert (error.reason, str(error)) == ("why", "why")


def test_request_error_says_what_to_answer() -> None:
    """A refused request carries its status."""
    assert RequestError(431, "too much").status == 431
