"""Sessions of the console: in memory, so that a restart ends them (pure)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from proxy.admin.accounts import Account

IDLE: Final = 3600.0
LONGEST: Final = 12 * 3600.0
"""Seconds without a request, and in all, after which somebody signs in again."""
SESSIONS_MAX: Final = 1000


@dataclass(slots=True)
class _Session:
    account: Account
    begun: float
    used: float


class Sessions:
    """Who is signed in, by the digest of a secret that only the browser has."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()

    def begin(self, secret: str, account: Account, now: float) -> None:
        """Sign an account in under a new secret; the session unused for longest gives way."""
        self._sessions[_digest(secret)] = _Session(account, now, now)
        while len(self._sessions) > SESSIONS_MAX:
            self._sessions.popitem(last=False)

    def account(self, secret: str, now: float) -> Account | None:
        """Give who is signed in, as the account was then; None when nobody is any more."""
        key = _digest(secret)
        session = self._sessions.get(key)
        if session is None:
            return None
        if now - session.used > IDLE or now - session.begun > LONGEST:
            del self._sessions[key]
            return None
        session.used = now
        self._sessions.move_to_end(key)
        return session.account

    def end(self, secret: str) -> None:
        """Sign out."""
        self._sessions.pop(_digest(secret), None)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
