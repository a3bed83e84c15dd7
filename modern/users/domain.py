"""What a user is, and what can be said of one when registering or changing."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict


@dataclass(frozen=True, slots=True)
class User:
    """Who subscribes and is billed; the hash of the password never leaves the repository."""

    id: int
    email: str
    name: str
    country: str | None
    phone: str | None
    birthday: date | None
    is_active: bool
    last_login_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Registration:
    """What a new user says of itself; validated."""

    email: str
    name: str
    country: str | None = None
    phone: str | None = None


class ProfileChanges(TypedDict, total=False):
    """The parts of a profile that a user may change; a key left out stays as it is."""

    name: str
    country: str | None
    phone: str | None
    payment_method: str | None
