from typing import Any

import pytest

from modern.compat.fields import (
    RUN_LIMIT,
    Errors,
    WantedRun,
    amount_field,
    country_field,
    id_field,
    password_field,
    read_profile_changes,
    read_registration,
    read_run,
    text_field,
)


@pytest.mark.parametrize(
    ("given", "value", "error"),
    [
        ("Zoë", "Zoë", None),
        ("  \t Zoë\r\n", "Zoë", None),
        ("\u00a0Zoë", "\u00a0Zoë", None),
        ("", None, "required"),
        (" \n", None, "required"),
        (None, None, "required"),
        ("é" * 255, "é" * 255, None),
        ("é" * 256, None, "too long"),
        (" " + "a" * 255 + " ", "a" * 255, None),
        (17, None, "invalid"),
        (True, None, "invalid"),
        ([], None, "invalid"),
        ({"a": 1}, None, "invalid"),
        ("a\0b", None, "invalid"),
        ("a\udcff", None, "invalid"),
    ],
)
def test_a_text(given: object, value: str | None, error: str | None) -> None:
    """A text is trimmed, counted in characters, and named wrong with one word."""
    errors: Errors = {}
    assert text_field({"name": given}, "name", 255, errors, required=True) == value
    assert errors.get("name") == error


def test_an_optional_text_may_be_missing() -> None:
    """No text is no error where none is required."""
    errors: Errors = {}
    assert text_field({}, "phone", 40, errors) is None
    assert errors == {}


@pytest.mark.parametrize(
    ("given", "value", "error"),
    [
        ("de", "DE", None),
        (" Fr ", "FR", None),
        ("", None, None),
        (None, None, None),
        ("DEU", None, "invalid"),
        ("d", None, "invalid"),
        ("ßx", None, "invalid"),
        ("x" * 300, None, "invalid"),
        (49, None, "invalid"),
    ],
)
def test_a_country(given: object, value: str | None, error: str | None) -> None:
    """A country is two letters, kept in capitals."""
    errors: Errors = {}
    assert country_field({"country": given}, errors) == value
    assert errors.get("country") == error


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("longenough", None),
        ("        ", None),
        ("é" * 4, None),
        ("é" * 36, None),
        ("\udcff" * 8, None),
        ("", "required"),
        (None, "required"),
        ("1234567", "too short"),
        ("é" * 37, "too long"),
        ("a" * 73, "too long"),
        ("longenough\0", "invalid"),
        (12345678, "invalid"),
        (["longenough"], "invalid"),
    ],
)
def test_a_password(given: object, error: str | None) -> None:
    """A password is 8 to 72 bytes as they are."""
    errors: Errors = {}
    password_field({"password": given}, errors)
    assert errors.get("password") == error


def test_a_password_is_not_trimmed() -> None:
    """Blanks are part of a password."""
    assert password_field({"password": " secret123 "}, {}) == b" secret123 "


@pytest.mark.parametrize(
    ("given", "value"),
    [(17, 17), ("17", 17), ("0017", 17), (0, 0), (2**31, 0), (10**30, 0), ("9" * 40, 0)],
)
def test_an_id(given: object, value: int) -> None:
    """An id is a whole number or its digits; one too large for the column is nobody's."""
    errors: Errors = {}
    assert id_field({"user_id": given}, "user_id", errors) == value
    assert errors == {}


@pytest.mark.parametrize("given", [None, "", -1, "-1", 17.0, "17 ", "17.0", True, [17], {"id": 1}])
def test_what_is_no_id(given: object) -> None:
    """Everything else is as good as missing."""
    errors: Errors = {}
    assert id_field({"user_id": given}, "user_id", errors) is None
    assert errors == {"user_id": "required"}


REGISTRATION: dict[str, Any] = {
    "email": "zoe@example.com",
    "name": "Zoë",
    "password": "longenough",
    "country": "de",
    "phone": "+49 30 1234",
}


def test_a_registration_is_read_whole() -> None:
    """All fields arrive, cleaned."""
    registration, password, errors = read_registration(REGISTRATION)
    assert errors == {}
    assert password == b"longenough"
    assert (registration.email, registration.name) == ("zoe@example.com", "Zoë")
    assert (registration.country, registration.phone) == ("DE", "+49 30 1234")


def test_everything_wrong_is_told_at_once_in_the_order_of_the_fields() -> None:
    """Nobody has to send a form five times to learn of five mistakes."""
    wrong = {"phone": "1" * 41, "country": "Germany", "password": "short", "email": "no address"}
    _, _, errors = read_registration(wrong)
    assert list(errors.items()) == [
        ("email", "invalid"),
        ("name", "required"),
        ("password", "too short"),
        ("country", "invalid"),
        ("phone", "too long"),
    ]


@pytest.mark.parametrize(
    "email",
    ["a@b.c", "first.last+tag@sub.example.co", "o'neil@example.com", "A@EXAMPLE.COM", "x@1-2.3"],
)
def test_an_email_address(email: str) -> None:
    """What mail servers accept."""
    assert read_registration(REGISTRATION | {"email": email})[2] == {}


@pytest.mark.parametrize(
    "email",
    ["a", "a@b", "@b.c", "a@", "a@b.", "a b@c.d", "a@b..c", "zoë@example.com", "a@b.c\n<x>@d.e"],
)
def test_no_email_address(email: str) -> None:
    """What they do not, and what would surprise a page or a log."""
    assert read_registration(REGISTRATION | {"email": email})[2] == {"email": "invalid"}


def test_only_what_is_given_changes() -> None:
    """A field that is left out stays as it is; an empty optional one is cleared."""
    assert read_profile_changes({"phone": "", "email": "new@example.com"}) == ({"phone": None}, {})


def test_a_profile_keeps_a_name() -> None:
    """The name can be changed and not be taken away."""
    assert read_profile_changes({"name": None})[1] == {"name": "required"}


@pytest.mark.parametrize(
    ("given", "minor"),
    [
        ("29.00", 2900), ("29", 2900), ("29.5", 2950), ("0.01", 1), ("00000001.10", 110),
        ("99999999.99", 9999999999), (29, 2900), (29.0, 2900), (9.9, 990), (100000.0, 10000000),
        ("", None), (None, None),
    ],
)  # fmt: skip
def test_an_amount(given: object, minor: int | None) -> None:
    """As text or as a number, exact to the cent; none is no error."""
    errors: Errors = {}
    assert amount_field({"amount": given}, "amount", errors) == minor
    assert errors == {}


@pytest.mark.parametrize(
    "given",
    [
        "0", "0.00", "-1", "+1", " 1", "1 ", "1,00", ".5", "1.", "1.234", "1e2", "123456789", "abc",
        "1\n", 0, -5, 0.1 + 0.2, 1e16, 1e-5, 10**30, True, [1], {"a": 1}, "\u0661",
    ],
)  # fmt: skip
def test_what_is_no_amount(given: object) -> None:
    """Nothing, less than nothing, fractions of a cent, and whatever is no number."""
    errors: Errors = {}
    assert amount_field({"amount": given}, "amount", errors) is None
    assert errors == {"amount": "invalid"}


@pytest.mark.parametrize(
    ("given", "wanted", "errors"),
    [
        ({}, WantedRun(None, RUN_LIMIT), {}),
        ({"subscription_id": "40", "limit": 7}, WantedRun(40, 7), {}),
        ({"subscription_id": 10**30}, WantedRun(0, RUN_LIMIT), {}),
        ({"subscription_id": "", "limit": None}, WantedRun(None, RUN_LIMIT), {}),
        ({"subscription_id": "x"}, WantedRun(None, RUN_LIMIT), {"subscription_id": "invalid"}),
        ({"limit": 0}, WantedRun(None, 0), {"limit": "invalid"}),
        ({"limit": 1001}, WantedRun(None, 1001), {"limit": "invalid"}),
        ({"limit": "-1"}, WantedRun(None, RUN_LIMIT), {"limit": "invalid"}),
        ({"limit": True}, WantedRun(None, RUN_LIMIT), {"limit": "invalid"}),
    ],
)
def test_a_billing_run(given: dict[str, Any], wanted: WantedRun, errors: Errors) -> None:
    """Of all or of one subscription, a thousand at most."""
    assert read_run(given) == (wanted, errors)
