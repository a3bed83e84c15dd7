"""The file of accounts as it is edited, by the command line and by the console."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from proxy.admin.accounts import Account, read_accounts
from proxy.errors import RefusedError, SettingsError

HEAD: Final = "# Accounts of the admin API: NAME ROLE HASH. Made by `cutover accounts add`.\n"


def with_account(text: str, account: Account) -> str:
    """Add an account to the text of a file, or put it in the place of the one of its name."""
    lines = text.splitlines()
    places = [at for at, line in enumerate(lines) if line.split()[:1] == [account.name]]
    for at in places:
        lines[at] = str(account)
    return "".join(f"{line}\n" for line in (lines if places else [*lines, str(account)]))


def without_account(text: str, name: str) -> str:
    """Take an account out of the text of a file; comments stay."""
    kept = [line for line in text.splitlines() if line.split()[:1] != [name]]
    return "".join(f"{line}\n" for line in kept)


def read(file: Path, missing: str | None = None) -> tuple[str, dict[str, Account]]:
    """Give the text and what it says; raises SettingsError or RulesError."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        if missing is None:
            raise SettingsError(f"{file}: there is no such file") from None
        text = missing
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: is not UTF-8") from error
    return text, read_accounts(text, str(file))


def write(file: Path, text: str) -> None:
    """Put the new content in place at once: a reader sees the one or the other, never half."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)
            if file.exists():
                found = file.stat()
                os.fchmod(descriptor, found.st_mode & 0o7777)
                if os.geteuid() == 0:
                    os.fchown(descriptor, found.st_uid, found.st_gid)
        temporary.replace(file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RefusedError(f"{file}: {error.strerror}") from error
