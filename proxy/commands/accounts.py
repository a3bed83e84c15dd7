"""`cutover accounts`: who may ask the admin API, and in which role. It edits the file itself."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.commands.command import add_command
from proxy.commands.context import OK, Context
from proxy.commands.output import print_json, print_line, print_table
from proxy.errors import NotFoundError, RefusedError, SettingsError

if TYPE_CHECKING:
    from proxy.admin.accounts import Account
    from proxy.commands.command import Commands

ACCOUNTS = """
cutover accounts list --file /etc/cutover/accounts
"""
ADD = """
cutover accounts add ada --role operator --file /etc/cutover/accounts
"""
LIST = """
cutover accounts list --file /etc/cutover/accounts
"""
REMOVE = """
cutover accounts remove ada --file /etc/cutover/accounts
"""

HEAD = "# Accounts of the admin API: NAME ROLE HASH. Made by `cutover accounts add`.\n"


def add_to(commands: Commands) -> None:
    """Add the command and its own commands."""
    summary = "say who may use the API and the console"
    parser = add_command(commands, "accounts", list_, summary, ACCOUNTS, remote=False)
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    adding = add_command(
        inner, "add", add, "add an account and print its token, once", ADD, remote=False, inner=True
    )
    adding.add_argument("name", metavar="NAME", help="who; the journal names it")
    adding.add_argument("--role", required=True, choices=("viewer", "operator", "admin"))
    listing = add_command(inner, "list", list_, "list the accounts", LIST, remote=False, inner=True)
    summary = "remove an account; its token and sessions end at once"
    removing = add_command(inner, "remove", remove, summary, REMOVE, remote=False, inner=True)
    removing.add_argument("name", metavar="NAME", help="who")
    for each in (adding, listing, removing):
        each.add_argument("--file", type=Path, metavar="FILE", help="the accounts (CUTOVER_AUTH)")


def add(args: argparse.Namespace, context: Context) -> int:
    """Add an account."""
    from proxy.admin.accounts import new_account
    from proxy.admin.principal import Role

    file = _file(args, context)
    text, accounts = _read(file, missing=HEAD)
    if args.name in accounts:
        raise RefusedError(f"{file}: there is {args.name} already; remove it first")
    account, token = new_account(args.name, Role[args.role.upper()])
    _write(file, f"{text.rstrip()}\n{account}\n")
    if args.json:
        print_json(context.out, {"name": account.name, "role": args.role, "token": token})
        return OK
    print_line(context.out, token)
    print_line(
        context.err, f"This is the token of {account.name}, {args.role}. It is kept nowhere."
    )
    return OK


def list_(args: argparse.Namespace, context: Context) -> int:
    """List the accounts, without their hashes."""
    _, accounts = _read(_file(args, context))
    rows = [(account.name, account.role.word) for account in accounts.values()]
    if args.json:
        print_json(context.out, {"accounts": [{"name": n, "role": r} for n, r in rows]})
        return OK
    print_table(context.out, ("NAME", "ROLE"), rows)
    return OK


def remove(args: argparse.Namespace, context: Context) -> int:
    """Remove an account."""
    file = _file(args, context)
    text, accounts = _read(file)
    if args.name not in accounts:
        raise NotFoundError(f"{file}: there is no account {args.name}")
    kept = [line for line in text.splitlines() if line.split()[:1] != [args.name]]
    _write(file, "".join(f"{line}\n" for line in kept))
    if args.json:
        print_json(context.out, {"removed": args.name})
    else:
        print_line(context.out, f"{args.name} may no longer use the API")
    return OK


def _file(args: argparse.Namespace, context: Context) -> Path:
    file = args.file or context.environ.get("CUTOVER_AUTH")
    if not file or str(file) == "none":
        raise SettingsError("name the file of accounts with --file, or CUTOVER_AUTH")
    return Path(file)


def _read(file: Path, missing: str | None = None) -> tuple[str, dict[str, Account]]:
    from proxy.admin.accounts import read_accounts

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


def _write(file: Path, text: str) -> None:
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
