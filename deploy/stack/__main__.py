"""`python -m deploy.stack`: start, stop and look at the local stack."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deploy.stack.errors import StackError, tail
from deploy.stack.ports import Ports
from deploy.stack.program import ROOT
from deploy.stack.stack import NEEDS, RUN_DIR, Options, Stack
from deploy.stack.table import next_steps, status_table

_EXAMPLES = """\
examples:
  python -m deploy.stack up                  start what is not running, in the background
  python -m deploy.stack up mariadb redis    only these, and what they need
  python -m deploy.stack restart modern      stop and start one server
  python -m deploy.stack kill modern         end it as a crash would, to see what the proxy does
  python -m deploy.stack logs legacy -f      follow a server's log
  eval "$(python -m deploy.stack env)"       its addresses and database URLs, for your shell
  CUTOVER_PORT_PROXY=9080 python -m deploy.stack up

ports: CUTOVER_PORT_{PROXY,CONSOLE,LEGACY,MODERN,MARIADB,POSTGRES,REDIS,PROCESSOR,MAIL}
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 not healthy, 2 cannot be done."""
    arguments = _parser().parse_args(argv)
    try:
        return _dispatch(arguments)
    except StackError as error:
        print(f"stack: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # `... logs legacy | head`: nobody reads on. What is left in the buffer must not be flushed
        # into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("\nstack: interrupted; what this command had started is stopped", file=sys.stderr)
        return 130


def _dispatch(arguments: argparse.Namespace) -> int:
    stack = _stack(arguments)
    match arguments.command:
        case "up":
            return _up(stack, arguments.names)
        case "down":
            stack.down()
        case "status":
            print(status_table(stack.status()))
            return 0 if all(server.healthy for server in stack.status()) else 1
        case "restart":
            stack.restart(arguments.name)
        case "kill":
            stack.server(arguments.name).kill()
        case "logs":
            return _logs(stack, arguments.name, follow=arguments.follow)
        case "env":
            for name, value in stack.environment().items():
                print(f"export {name}={shlex.quote(value)}")
    return 0


def _up(stack: Stack, names: Sequence[str]) -> int:
    if unknown := set(names) - set(NEEDS):
        raise StackError(f"unknown: {', '.join(sorted(unknown))}; there are: {', '.join(NEEDS)}")
    stack.up(*names)
    print()
    print(status_table(stack.status()))
    if not names:
        print(next_steps(stack))
    return 0


def _logs(stack: Stack, name: str, *, follow: bool) -> int:
    log = stack.server(name).process.log
    if not follow:
        print(tail(log, lines=40))
        return 0
    return subprocess.call(["tail", "-n", "40", "-F", str(log)])


def _stack(arguments: argparse.Namespace) -> Stack:
    ports = Ports.load(arguments.run_dir / "ports.json").overridden(os.environ)
    options = replace(Options(), faults=getattr(arguments, "faults", False))
    return Stack(arguments.run_dir, ports, options, report=_progress)


def _progress(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.stack",
        description="The local stack: every server, privately, on the loopback address.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--run-dir",
        type=_folder,
        default=RUN_DIR,
        help=f"where data, logs and secrets are kept (default: {RUN_DIR.relative_to(ROOT)})",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start what is not running")
    up.add_argument("names", nargs="*", metavar="NAME", help="only these, and what they need")
    faults = "give the modern side its fault switch (PUT /_faults), as the demonstration does"
    up.add_argument("--faults", action="store_true", help=faults)
    commands.add_parser("down", help="stop everything")
    commands.add_parser("status", help="what runs where; status 1 unless all is healthy")
    for name, text in (("restart", "stop and start one server"), ("kill", "end it like a crash")):
        command = commands.add_parser(name, help=text)
        command.add_argument("name", metavar="NAME")
        if name == "restart":
            command.add_argument("--faults", action="store_true", help=faults)
    logs = commands.add_parser("logs", help="the end of a server's log")
    logs.add_argument("name", metavar="NAME")
    logs.add_argument("-f", "--follow", action="store_true", help="go on showing what is added")
    commands.add_parser("env", help="print addresses and database URLs for a shell")
    return parser


def _folder(text: str) -> Path:
    return Path(text).resolve()


if __name__ == "__main__":
    sys.exit(main())
