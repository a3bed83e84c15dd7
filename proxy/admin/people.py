"""Who may use the API and the console, as admins see and change it: list, add, role, remove."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from proxy.admin.account_file import read, with_account, without_account, write
from proxy.admin.account_guard import AccountGuard
from proxy.admin.accounts import Account, new_account
from proxy.admin.interfaces import Controller
from proxy.admin.principal import Role
from proxy.errors import NotFoundError, RefusedError


@dataclass(frozen=True, slots=True)
class Person:
    """An account; `used` is when it was last used, since this process was started, Unix time."""

    name: str
    role: Role
    used: float | None


@dataclass(frozen=True, slots=True)
class Signed:
    """Who changes something about accounts, and why."""

    author: str
    reason: str


class People:
    """Edits the file of accounts, one change at a time. Each is put on record before it is made.

    Every method raises RefusedError where there are no accounts.
    """

    def __init__(
        self, controller: Controller, guard: AccountGuard | None, file: Path | None
    ) -> None:
        self._controller = controller
        self._guard = guard
        self._file = file
        self._editing = asyncio.Lock()

    @property
    def file(self) -> Path | None:
        """Where the accounts are; None where there are none."""
        return self._file

    def all(self) -> list[Person]:
        """Give everybody who may ask, by name."""
        guard = self._known()
        return [
            Person(each.name, each.role, guard.used.get(each.name))
            for each in sorted(guard.accounts.all(), key=lambda each: each.name.lower())
        ]

    async def add(self, name: str, role: Role, signed: Signed) -> str:
        """Add an account and give its token, which is kept nowhere."""
        account, token = await asyncio.to_thread(new_account, name, role)

        def change(text: str, known: dict[str, Account]) -> str:
            if name in known:
                raise RefusedError(f"There is an account {name} already.")
            return with_account(text, account)

        await self._change("account_add", signed, {"account": name, "role": role.word}, change)
        return token

    async def give_role(self, name: str, role: Role, signed: Signed) -> None:
        """Give an account another role, at once; its token stays the same."""

        def change(text: str, known: dict[str, Account]) -> str:
            found = _of(known, name)
            _keep_an_admin(known, name, role)
            return with_account(text, replace(found, role=role))

        await self._change("account_role", signed, {"account": name, "role": role.word}, change)

    async def remove(self, name: str, signed: Signed) -> None:
        """Take an account away; its token and its sessions end at once."""

        def change(text: str, known: dict[str, Account]) -> str:
            _of(known, name)
            _keep_an_admin(known, name, None)
            return without_account(text, name)

        await self._change("account_remove", signed, {"account": name}, change)

    async def _change(
        self,
        action: str,
        signed: Signed,
        evidence: dict[str, Any],
        change: Callable[[str, dict[str, Account]], str],
    ) -> None:
        guard = self._known()
        assert self._file is not None  # noqa: S101 - there is a guard
        async with self._editing:
            text, known = await asyncio.to_thread(read, self._file)
            changed = change(text, known)
            await self._controller.note_aside(
                action, author=signed.author, reason=signed.reason, evidence=evidence
            )
            await asyncio.to_thread(write, self._file, changed)
            guard.accounts.refresh()

    def _known(self) -> AccountGuard:
        if self._guard is None or self._file is None:
            raise RefusedError(
                "There are no accounts here: whoever reaches this address may do everything. "
                "Start the proxy with --auth FILE, and add some with `cutover accounts add`."
            )
        return self._guard


def _of(known: dict[str, Account], name: str) -> Account:
    if name not in known:
        raise NotFoundError(f"there is no account {name!r}")
    return known[name]


def _keep_an_admin(known: dict[str, Account], name: str, role: Role | None) -> None:
    """Refuse to leave nobody who could undo this here."""
    admins = {each.name for each in known.values() if each.role is Role.ADMIN}
    if admins == {name} and role is not Role.ADMIN:
        raise RefusedError(
            f"{name} is the last admin: nobody here could make another. Make one first."
        )
