"""Letting in by accounts: a token for scripts, a session for the console, and a role for each."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil
from typing import Final

from starlette.datastructures import Headers

from proxy.admin.accounts import Account, Accounts
from proxy.admin.auth import Asked, credentials, cross_site
from proxy.admin.endpoints import PREFIX
from proxy.admin.principal import (
    ANYBODY,
    SAFE_METHODS,
    Principal,
    Role,
    required_role,
)
from proxy.admin.problems import Problem
from proxy.admin.sessions import Sessions
from proxy.admin.throttle import Throttle

SESSION_COOKIE: Final = "cutover_session"


class AccountGuard:
    """Decides by accounts, and keeps who is signed in and when an account was last `used`."""

    def __init__(
        self,
        accounts: Accounts,
        clock: Callable[[], float],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.sessions: Final = Sessions()
        self.accounts: Final = accounts
        self.used: Final[dict[str, float]] = {}
        self._accounts = accounts
        self._wall = wall
        self._clock = clock
        self._throttle = Throttle()

    async def admit(self, asked: Asked) -> Principal | Problem:
        """Give who asks, or the problem to answer with."""
        self._accounts.refresh()
        needed = required_role(asked.method, asked.path)
        found = await self._principal(asked, needed)
        if isinstance(found, Problem):
            return found
        if needed is not None and found.role < needed:
            detail = (
                f"{found.name} is {_with_article(found.role)}; this takes {_with_article(needed)}."
            )
            return Problem(403, "not-allowed", detail, "Ask somebody who may.")
        if asked.method not in SAFE_METHODS and (problem := cross_site(asked.headers)) is not None:
            return problem
        if found.name:
            self.used[found.name] = self._wall()
        return found

    async def sign_in(self, token: str, client: str, secret: str) -> Account | Problem:
        """Begin a session under a secret, if the token is right."""
        self._accounts.refresh()
        account = await self._verified(token, client)
        if isinstance(account, Account):
            self.sessions.begin(secret, account, self._clock())
        return account

    async def _principal(self, asked: Asked, needed: Role | None) -> Principal | Problem:
        given = credentials(asked.headers.get("authorization", ""))
        if given is not None:
            found = await self._verified(given.decode("utf-8", "replace"), asked.client)
            return found if isinstance(found, Problem) else Principal(found.name, found.role)
        signed_in = self._signed_in(asked)
        if signed_in is not None:
            return signed_in
        if needed is None:
            return ANYBODY
        detail = "No token was given, and nobody is signed in."
        return Problem(401, "sign-in", detail, "Send Authorization: Bearer TOKEN, or sign in.")

    def _signed_in(self, asked: Asked) -> Principal | None:
        """Give whom a session cookie stands for.

        Changes by the API are made with a token: a cookie is sent along by whatever page asks.
        """
        if asked.path.startswith(PREFIX) and asked.method not in SAFE_METHODS:
            return None
        secret = session_secret(asked.headers)
        account = self.sessions.account(secret, self._clock()) if secret else None
        # As it is now: another hash, or none, ends the session of the account.
        now = self._accounts.named(account.name) if account is not None else None
        if account is None or now is None or now.hash != account.hash:
            return None
        return Principal(now.name, now.role, secret)

    async def _verified(self, token: str, client: str) -> Account | Problem:
        known = self._accounts.known(token)
        if known is not None:
            return known
        wait = self._throttle.wait(client, self._clock())
        if wait > 0:
            seconds = ceil(wait)
            detail = f"There were too many wrong attempts; try again in {seconds} s."
            return Problem(429, "too-many-attempts", detail, extra={"wait": seconds})
        account = await self._accounts.verify(token)
        if account is None:
            detail = "The token is not right, or its account is gone."
            return Problem(401, "sign-in", detail, "Ask an administrator for another one.")
        self._throttle.forgive(client)
        return account


def session_secret(headers: Headers) -> str:
    """Give the secret of the session cookie, or nothing; of two, none is taken."""
    pairs = [
        pair.strip().partition("=")
        for header in headers.getlist("cookie")
        for pair in header.split(";")
    ]
    found = [value for name, _, value in pairs if name == SESSION_COOKIE]
    return found[0] if len(found) == 1 else ""


def _with_article(role: Role) -> str:
    return f"{'a' if role is Role.VIEWER else 'an'} {role.word}"
