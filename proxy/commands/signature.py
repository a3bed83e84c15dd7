"""What every change carries: why, who, and the version that it was meant for."""

from __future__ import annotations

import argparse

from proxy.commands.context import Context, Json


def add_signature(parser: argparse.ArgumentParser, *, version: bool = True) -> None:
    """Add the options; `version` says that the change is one of the rules."""
    parser.add_argument("--reason", required=True, help="why; it goes on record")
    parser.add_argument("--author", metavar="NAME", help="who (default: the user you are)")
    if version:
        parser.add_argument(
            "--if-version", type=_version, metavar="N", help="only if the rules are at version N"
        )


def signed(args: argparse.Namespace, context: Context) -> Json:
    """Give the members of a request that say why and who."""
    return {"reason": args.reason, "author": args.author or context.user}


def _version(text: str) -> int:
    """Read a version number; argparse names this function when it cannot."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise argparse.ArgumentTypeError(f"{text!r} is not a version number")
    return int(text)
