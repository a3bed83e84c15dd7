"""What a field of a body may hold, and the one word for what is wrong with it.

Each reader returns the value and notes in `errors` what is wrong, in the order of the fields. The
rules and words are those of `legacy_php/billing.php`, which clients have learnt.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from modern.compat.php import is_digits, row_id
from modern.users.domain import ProfileChanges, Registration

Fields = Mapping[str, object]
Errors = dict[str, str]

_BLANKS = " \t\r\n"
# Bytes that bcrypt reads: until passwords of both sides are hashed alike, both refuse longer ones.
_MAX_PASSWORD_BYTES = 72
_MIN_PASSWORD_BYTES = 8

RUN_LIMIT = 1000
"""Cycles and charges of one billing run that a request may ask for."""

# RFC 5322 dot-atom characters before the @; after it, host names (RFC 1123) with a dot.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_AMOUNT = re.compile(r"([0-9]{1,8})(?:\.([0-9]{1,2}))?")
_COUNTRY = re.compile(r"[A-Za-z]{2}")


def read_registration(fields: Fields) -> tuple[Registration, bytes, Errors]:
    """Return the new user, the password, and what is wrong with either (then use neither)."""
    errors: Errors = {}
    email = text_field(fields, "email", 255, errors, required=True)
    if email is not None and not _EMAIL.fullmatch(email):
        errors["email"] = "invalid"
    name = text_field(fields, "name", 255, errors, required=True)
    password = password_field(fields, errors)
    country = country_field(fields, errors)
    phone = text_field(fields, "phone", 40, errors)
    registration = Registration(email=email or "", name=name or "", country=country, phone=phone)
    return registration, password, errors


def read_profile_changes(fields: Fields) -> tuple[ProfileChanges, Errors]:
    """Return the changes for the fields that are given, and what is wrong with them."""
    errors: Errors = {}
    changes: ProfileChanges = {}
    if "name" in fields:
        changes["name"] = text_field(fields, "name", 255, errors, required=True) or ""
    if "country" in fields:
        changes["country"] = country_field(fields, errors)
    if "phone" in fields:
        changes["phone"] = text_field(fields, "phone", 40, errors)
    if "payment_method" in fields:
        changes["payment_method"] = text_field(fields, "payment_method", 64, errors)
    return changes, errors


@dataclass(frozen=True, slots=True)
class WantedRun:
    """What a billing run is to look at: one subscription or all, so many cycles and charges."""

    subscription_id: int | None
    limit: int


def read_run(fields: Fields) -> tuple[WantedRun, Errors]:
    """Return what a billing run is asked for, and what is wrong with that."""
    errors: Errors = {}
    subscription_id = number_field(fields, "subscription_id", errors)
    limit = number_field(fields, "limit", errors)
    if limit is not None and not 1 <= limit <= RUN_LIMIT:
        errors["limit"] = "invalid"
    return WantedRun(subscription_id, RUN_LIMIT if limit is None else limit), errors


def text_field(
    fields: Fields, name: str, longest: int, errors: Errors, *, required: bool = False
) -> str | None:
    """Return the trimmed text of at most `longest` characters; None when there is none."""
    value = _given(fields, name)
    if not isinstance(value, str) or "\0" in value or not _is_utf8(value):
        errors[name] = "invalid"
        return None
    value = value.strip(_BLANKS)
    if len(value) > longest:
        errors[name] = "too long"
        return None
    if required and not value:
        errors[name] = "required"
    return value or None


def country_field(fields: Fields, errors: Errors) -> str | None:
    """Return the two letters in capitals; None when there are none."""
    country = text_field(fields, "country", 255, errors)
    if "country" in errors or (country is not None and not _COUNTRY.fullmatch(country)):
        errors["country"] = "invalid"
        return None
    return None if country is None else country.upper()


def password_field(fields: Fields, errors: Errors) -> bytes:
    """Return the password as it is, in bytes; never trimmed."""
    value = _given(fields, "password")
    password = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else b"\0"
    wrong = _wrong_with_password(password)
    if wrong is not None:
        errors["password"] = wrong
    return password


def _wrong_with_password(password: bytes) -> str | None:
    if not password:
        return "required"
    if b"\0" in password:
        return "invalid"
    if len(password) < _MIN_PASSWORD_BYTES:
        return "too short"
    return "too long" if len(password) > _MAX_PASSWORD_BYTES else None


def id_field(fields: Fields, name: str, errors: Errors) -> int | None:
    """Return the id, given as a whole number or as its digits; 0 stands for one too large."""
    value = _given(fields, name)
    # In Python, but not in PHP, a truth value is a number too.
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return row_id(str(value))
    if isinstance(value, str) and is_digits(value):
        return row_id(value)
    errors[name] = "required"
    return None


def number_field(fields: Fields, name: str, errors: Errors) -> int | None:
    """Return the whole number, given as such or as its digits; 0 stands for one too large."""
    if _given(fields, name) == "":
        return None
    wrong: Errors = {}
    number = id_field(fields, name, wrong)
    if wrong:
        errors[name] = "invalid"
    return number


def amount_field(fields: Fields, name: str, errors: Errors) -> int | None:
    """Return the amount in hundredths, given as text or as a number; None when there is none.

    At most 8 digits before the point and 2 after it, and more than nothing.
    """
    value = _given(fields, name)
    if value == "":
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    found = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    minor = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else 0
    if minor == 0:
        errors[name] = "invalid"
        return None
    return minor


def _given(fields: Fields, name: str) -> object:
    value = fields.get(name)
    return "" if value is None else value


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
