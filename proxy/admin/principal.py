"""Who asks, and what they may do."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from proxy.admin.endpoints import ENDPOINTS, PREFIX


class Role(IntEnum):
    """What somebody may do; each role may do what the ones before it may."""

    VIEWER = 1
    """Look at everything, and change nothing."""
    OPERATOR = 2
    """Steer: weights, plans, rollbacks, pins, the kill switch, and what is said of differences."""
    ADMIN = 3
    """Replace the rules as a whole, see how the proxy is set up, and say who may do what."""

    @property
    def word(self) -> str:
        """As files and messages spell it."""
        return self.name.lower()


ROLES: Final = tuple(role.word for role in Role)


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who was let in. Without accounts nobody has a name, and everybody is an admin.

    `session` is the secret of the console session that the request came with, if it came with one.
    """

    name: str = ""
    role: Role = Role.ADMIN
    session: str = ""

    @property
    def may_steer(self) -> bool:
        """Whether forms are of use to them."""
        return self.role >= Role.OPERATOR

    @property
    def may_administer(self) -> bool:
        """Whether they may replace the rules as a whole, and see how this proxy is set up."""
        return self.role >= Role.ADMIN

    def signs(self, author: str) -> str:
        """Give whom the journal names: the account, and for whom it says that it acts."""
        if not self.name or author in ("", self.name):
            return self.name or author
        return f"{self.name} for {author}"


ANYBODY: Final = Principal()

_current: ContextVar[Principal] = ContextVar("principal", default=ANYBODY)


def current() -> Principal:
    """Give who makes the request that is being answered."""
    return _current.get()


def enter(principal: Principal) -> None:
    """Say who makes the request that is answered by this task."""
    _current.set(principal)


SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

OPEN_PATHS: Final = frozenset({"/livez", "/readyz"})
"""Answered to everybody: a load balancer has no token, and they tell nothing."""

LOGIN: Final = "/login"
LOGOUT: Final = "/logout"
EXPLAIN: Final = "/explain"
"""A question as a form: its words do not belong into an address, and it changes nothing."""
STATIC: Final = "/static/"
"""Where somebody is let in, and what that page is drawn with."""


def required_role(method: str, path: str) -> Role | None:
    """Give the least role that a request needs; None when anybody may ask.

    What is not known needs a viewer to be looked at and an operator to be changed: an address that
    is added elsewhere is guarded before anybody thinks of it.
    """
    if path in OPEN_PATHS or path == LOGIN or path.startswith(STATIC):
        return None
    if path in (LOGOUT, EXPLAIN):
        return Role.VIEWER
    if method == "HEAD":
        method = "GET"
    for known, pattern, role in _ROLES:
        if known == method and pattern.fullmatch(path):
            return role
    if _is_for_admins(method, path):
        return Role.ADMIN
    return Role.VIEWER if method in SAFE_METHODS else Role.OPERATOR


_ADMINS_FORMS: Final = frozenset({"/rules/edit"})
_ADMINS_PAGES: Final = ("/accounts", "/settings")
"""Of the console what does, or shows, what an operation of the API takes an admin for."""


def _is_for_admins(method: str, path: str) -> bool:
    if any(path == page or path.startswith(f"{page}/") for page in _ADMINS_PAGES):
        return True
    return path in _ADMINS_FORMS and method not in SAFE_METHODS


_EXCEPTIONS: Final = {
    "import_rules": Role.ADMIN,
    "accounts": Role.ADMIN,
    "add_account": Role.ADMIN,
    "give_role": Role.ADMIN,
    "remove_account": Role.ADMIN,
    "settings": Role.ADMIN,
    "explain": Role.VIEWER,  # questions whose words are too many for an address
    "check_rules": Role.VIEWER,
}
"""Operations whose role is not that of their method."""

_ROLES: Final = tuple(
    (
        endpoint.method,
        re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(PREFIX + endpoint.path))),
        _EXCEPTIONS[endpoint.operation],
    )
    for endpoint in ENDPOINTS
    if endpoint.operation in _EXCEPTIONS
)
