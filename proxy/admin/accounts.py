"""Accounts of the admin API: a file of names, roles and argon2 hashes of their tokens.

One line each: `NAME ROLE HASH`. A token is `NAME.SECRET`: the name says which hash to look at, and
the secret has 256 bits, so that the hash need not be slower than it is (19 MiB, OWASP's least).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from proxy.admin.principal import ROLES, Role
from proxy.errors import Position, RulesError, RulesProblem, SettingsError

log = logging.getLogger(__name__)

HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
REMEMBERED: Final = 1000
"""Tokens that were right and need not be hashed slowly again."""

SIZE_MAX: Final = 1024 * 1024
TOKEN_MAX: Final = 200

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,31}")


@dataclass(frozen=True, slots=True)
class Account:
    """One who may ask, with the hash of the token that proves it."""

    name: str
    role: Role
    hash: str

    def __str__(self) -> str:
        return f"{self.name} {self.role.word} {self.hash}"


def new_account(name: str, role: Role) -> tuple[Account, str]:
    """Make an account and its token, which is not kept anywhere; raises SettingsError."""
    if not NAME.fullmatch(name):
        raise SettingsError(f"{name!r} is no name: up to 32 letters, digits, `_` and `-`")
    token = f"{name}.{secrets.token_urlsafe(32)}"
    return Account(name, role, HASHER.hash(token)), token


def read_accounts(text: str, file: str) -> dict[str, Account]:
    """Read the file; raises RulesError with every problem and its line."""
    found: dict[str, Account] = {}
    problems: list[RulesProblem] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        problem = _problem(words, found)
        if problem:
            problems.append(RulesProblem(Position(file, number, 1), problem))
        else:
            found[words[0]] = Account(words[0], Role[words[1].upper()], words[2])
    if problems:
        raise RulesError(tuple(problems))
    return found


def _problem(words: list[str], found: dict[str, Account]) -> str:
    if len(words) != 3:
        return "is not NAME ROLE HASH; `cutover accounts add` writes such a line"
    name, role, digest = words
    if not NAME.fullmatch(name):
        return f"{name[:40]!r} is no name: up to 32 letters, digits, `_` and `-`"
    if name in found:
        return f"{name} stands here twice"
    if role not in ROLES:
        return f"{role[:40]!r} is no role; there are {', '.join(ROLES)}"
    try:
        HASHER.check_needs_rehash(digest)
    except InvalidHashError:
        return "the hash is none of argon2; was a token written here? Make it anew"
    return ""


class Accounts:
    """The accounts of one file, which is read again when it has changed.

    While the file cannot be used, those who were in it before stay.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._trouble = ""
        self._accounts: dict[str, Account] = {}
        self._right: OrderedDict[bytes, Account] = OrderedDict()
        self._hashing = asyncio.Semaphore(1)
        self._decoy = HASHER.hash(secrets.token_urlsafe(32))

    def load(self) -> None:
        """Read the file; raises SettingsError or RulesError."""
        try:
            found = self._path.stat()
            if found.st_size > SIZE_MAX:
                raise SettingsError(f"--auth {self._path}: is larger than {SIZE_MAX} bytes")
            text = self._path.read_text("utf-8-sig")
        except OSError as error:
            raise SettingsError(f"--auth {self._path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise SettingsError(f"--auth {self._path}: is not UTF-8") from error
        self._stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        self._accounts = read_accounts(text, str(self._path))

    def refresh(self) -> None:
        """Read the file again if it is another one than before."""
        try:
            found = self._path.stat()
            if (found.st_mtime_ns, found.st_ino, found.st_size) != self._stamp:
                self.load()
                log.info("%s: %d accounts", self._path, len(self._accounts))
                self._trouble = ""
        except (OSError, SettingsError, RulesError) as error:
            if str(error) != self._trouble:
                log.error("the accounts stay as they were: %s", error)  # noqa: TRY400 - says it all
            self._trouble = str(error)

    def named(self, name: str) -> Account | None:
        """Give the account of this name as it is now, or None."""
        return self._accounts.get(name)

    def all(self) -> tuple[Account, ...]:
        """Give all accounts as they are now."""
        return tuple(self._accounts.values())

    def known(self, token: str) -> Account | None:
        """Give the account of a token that was right before; None when it has to be verified."""
        account = self._right.get(_digest(token))
        return account if account and self._accounts.get(account.name) == account else None

    async def verify(self, token: str) -> Account | None:
        """Give the account that a token proves, or None. It takes its time, in a thread."""
        name = token.partition(".")[0]
        account = self._accounts.get(name) if len(token) <= TOKEN_MAX else None
        async with self._hashing:  # one at a time: each takes 19 MiB and a core
            right = await asyncio.to_thread(
                _is_right, self._decoy if account is None else account.hash, token[:TOKEN_MAX]
            )
        if account is None or not right or self._accounts.get(name) != account:
            return None
        self._right[_digest(token)] = account
        while len(self._right) > REMEMBERED:
            self._right.popitem(last=False)
        return account


def _is_right(digest: str, token: str) -> bool:
    try:
        return HASHER.verify(digest, token.encode("utf-8", "replace"))
    except (VerificationError, InvalidHashError):
        return False


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
