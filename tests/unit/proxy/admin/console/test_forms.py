import pytest
from starlette.requests import Request
from starlette.types import Message

from proxy.admin.console.forms import BODY_MAX, Form, FormError, read_form

URLENCODED = "application/x-www-form-urlencoded"


def request(body: bytes, content_type: str = URLENCODED) -> Request:
    """A posted request with this body."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", content_type.encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


async def test_fields_are_decoded() -> None:
    """Blanks, percent signs and letters beyond ASCII arrive as they were typed."""
    form = await read_form(request(b"weight=12.5&reason=+Gr%C3%BC%C3%9Fe+50%25+"))
    assert form.weight() == 1250
    assert form.reason() == "Grüße 50%"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"a=b", "multipart/form-data; boundary=x"),
        (b"a=b", "text/plain"),
        (b"reason=" + b"x" * BODY_MAX, URLENCODED),
        (b"reason=%ff%fe", URLENCODED),
        (b"\xff=1", URLENCODED),
        (b"&".join(b"f%d=1" % i for i in range(100)), URLENCODED),
    ],
)
async def test_anything_but_a_small_readable_form_is_refused(
    body: bytes, content_type: str
) -> None:
    """Other types, large bodies, many fields and broken text get an error, not an exception."""
    with pytest.raises(FormError):
        await read_form(request(body, content_type))


@pytest.mark.parametrize("typed", ["", "-1", "100.01", "1e2", "10.123", "NaN", "ten", "１０"])  # noqa: RUF001 - digits of another script
def test_a_weight_outside_of_0_to_100_is_refused(typed: str) -> None:
    """What is not a percentage with two decimals is told, not guessed."""
    with pytest.raises(FormError, match="percentage from 0 to 100"):
        Form({"weight": typed}).weight()


@pytest.mark.parametrize("typed", ["", "   ", "x" * 501, "two\nlines", "\u202eevil"])
def test_a_reason_must_be_one_readable_line(typed: str) -> None:
    """A reason goes on record, so it is neither empty nor endless nor invisible."""
    with pytest.raises(FormError, match="The reason"):
        Form({"reason": typed}).reason()


def test_somebody_must_put_a_name_to_a_change() -> None:
    """A change without a name is refused."""
    with pytest.raises(FormError, match="Your name"):
        Form({"author": " "}).author()


@pytest.mark.parametrize(
    ("typed", "version"), [("17", 17), ("", None), ("x", None), ("9" * 40, None)]
)
def test_the_expected_version_is_a_number_or_nothing(typed: str, version: int | None) -> None:
    """A strange version counts as none."""
    assert Form({"expected_version": typed}).expected_version() == version
