"""`cutover accounts`: who may ask the admin API, and in which role. It edits the file itself."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.commands.command import add_command
from proxy.commands.context import OK, Context
from proxy.commands.output import print_json, print_line, print_table
from proxy.errors import NotFoundError, RefusedError, SettingsError

if TYPE_CHECKING:
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
    from proxy.admin.account_file import HEAD, read, with_account, write
    from proxy.admin.accounts import new_account
    from proxy.admin.principal import Role

    file = _file(args, context)
    text, accounts = read(file, missing=HEAD)
    if args.name in accounts:
        raise RefusedError(f"{file}: there is {args.name} already; remove it first")
    account, token = new_account(args.name, Role[args.role.upper()])
    write(file, with_account(text, account))
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
    from proxy.admin.account_file import read

    _, accounts = read(_file(args, context))
    rows = [(account.name, account.role.word) for account in accounts.values()]
    if args.json:
        print_json(context.out, {"accounts": [{"name": n, "role": r} for n, r in rows]})
        return OK
    print_table(context.out, ("NAME", "ROLE"), rows)
    return OK


def remove(args: argparse.Namespace, context: Context) -> int:
    """Remove an account."""
    from proxy.admin.account_file import read, without_account, write

    file = _file(args, context)
    text, accounts = read(file)
    if args.name not in accounts:
        raise NotFoundError(f"{file}: there is no account {args.name}")
    write(file, without_account(text, args.name))
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
