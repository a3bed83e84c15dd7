from datetime import UTC, datetime

from starlette.responses import Response

from modern.compat import envelope
from modern.errors import Conflict, Invalid, NotFound


def told(response: Response) -> tuple[int, bytes]:
    """Return the status and the bytes of an answer, after looking at its type."""
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    return response.status_code, bytes(response.body)


def test_data() -> None:
    """Data stands beside its status, non-ASCII and slashes as they are."""
    assert told(envelope.success({"name": "Zoë/€"}, 201)) == (
        201,
        '{"status":"ok","data":{"name":"Zoë/€"}}'.encode(),
    )


def test_a_page() -> None:
    """A page says which one it is, of how many rows, and when that was so."""
    meta = envelope.page_meta(2, 57, datetime(2026, 11, 1, tzinfo=UTC))
    assert told(envelope.listing([], meta)) == (
        200,
        b'{"status":"ok","data":[],"meta":{"page":2,"per_page":20,"total":57,'
        b'"generated_at":"2026-11-01T00:00:00+00:00"}}',
    )


def test_not_found_is_200() -> None:
    """A trait of the legacy application that its clients rely on."""
    assert told(envelope.refusal(NotFound("Plan"))) == (
        200,
        b'{"status":"error","message":"Plan not found"}',
    )


def test_a_conflict_is_200() -> None:
    """So is what cannot be done in this state."""
    assert told(envelope.refusal(Conflict("Already cancelled"))) == (
        200,
        b'{"status":"error","message":"Already cancelled"}',
    )


def test_wrong_input_is_422() -> None:
    """Wrong input is told field by field."""
    assert told(envelope.refusal(Invalid({"name": "required"}))) == (
        422,
        b'{"status":"error","message":"Validation failed","errors":{"name":"required"}}',
    )
