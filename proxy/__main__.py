"""The command `cutover`."""

from __future__ import annotations

import getpass
import json
import os
import sys
import time
from collections.abc import Sequence

from proxy.commands.context import (
    REFUSED,
    UNREACHABLE,
    USAGE,
    AnswerError,
    Client,
    Context,
    UnreachableError,
)
from proxy.commands.output import print_block, print_line
from proxy.commands.parser import build_parser
from proxy.errors import CutoverError, SettingsError

INTERRUPTED = 130
"""128 + SIGINT, as shells count."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit code."""
    context = Context(
        out=sys.stdout,
        err=sys.stderr,
        environ=os.environ,
        user=_user(),
        now=time.time,
        sleep=time.sleep,
        connect=_connect,
    )
    try:
        code = run(arguments, context)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # `cutover history | head` closed our output; nobody is left to be told. The descriptor
        # is replaced, because the interpreter flushes once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def run(arguments: Sequence[str] | None, context: Context) -> int:
    """Parse, run, and put errors into words and exit codes."""
    args = build_parser().parse_args(arguments)
    try:
        return int(args.run(args, context))
    except AnswerError as error:
        if getattr(args, "json", False):
            print_block(context.out, json.dumps(error.problem, indent=2))
        else:
            print_line(context.err, f"cutover: {error}")
            if mend := error.problem.get("mend"):
                print_line(context.err, f"  {mend}")
        return REFUSED
    except UnreachableError as error:
        print_block(context.err, f"cutover: {error}")
        return UNREACHABLE
    except SettingsError as error:
        print_line(context.err, f"cutover: {error}")
        return USAGE
    except CutoverError as error:
        print_block(context.err, f"cutover: {error}")
        return REFUSED


def _connect(url: str | None) -> Client:
    from proxy.commands.client import connect

    return connect(url, os.environ)


def _user() -> str:
    """Name the user of the operating system; a container may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


if __name__ == "__main__":
    sys.exit(main())
