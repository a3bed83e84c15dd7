"""`cutover replay`: recorded traffic against two applications. It needs no running proxy."""

from __future__ import annotations

import argparse
import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.commands.command import add_command
from proxy.commands.context import Context
from proxy.commands.output import print_line
from proxy.errors import RulesError, SettingsError

if TYPE_CHECKING:
    from proxy.commands.command import Commands
    from proxy.commands.replay_bar import Counts
    from proxy.commands.replay_plan import Against
    from shadow_compare.replay.run import Replay
    from shadow_compare.replay.traffic import Traffic

INTERRUPTED = 130
"""128 + SIGINT, as shells count."""

EXAMPLES = """
cutover replay access.log --legacy http://127.0.0.1:8081 --modern http://127.0.0.1:8082
cutover replay traffic.har --rules routing_rules.yaml --host shop.example --html report.html
cutover replay requests*.gor --rules routing_rules.yaml --max-mismatch 0.1% --min-compared 1000
cutover replay access.log --rules routing_rules.yaml -H 'Cookie: PHPSESSID=test' --rate 50 --json
cutover replay requests.gor --rules rules.yaml --writes "both sides are throw-away copies"

It reads HAR, access logs (common, combined), files of GoReplay, and exported differences (JSON).
Killed at any moment, the same command goes on where it was.
exit codes: 0 within the thresholds, 1 beyond them or nothing compared, 2 wrong usage
"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "ask two applications what was asked before, and compare: the test before a cutover"
    parser = add_command(commands, "replay", run, summary, EXAMPLES, remote=False)
    add = parser.add_argument
    add("files", type=Path, nargs="+", metavar="FILE", help="the recorded traffic")
    add("--format", choices=("har", "access-log", "goreplay", "samples"), help="if not by itself")
    add("--legacy", metavar="URL", help="one side (default: the first instance in --rules)")
    add("--modern", metavar="URL", help="the other side (default: the first instance in --rules)")
    add("--rules", type=Path, metavar="FILE",
        help="compare, and rewrite paths and fields, by the rules of each route")  # fmt: skip
    add("--primary", choices=("legacy", "modern"), default="legacy",
        help="the side that the recorded ids are of (default legacy)")  # fmt: skip
    add("--host", action="append", default=[], metavar="HOST",
        help="only what was asked of this host, repeatable: a HAR has others, too")  # fmt: skip
    add("-H", "--header", action="append", default=[], metavar="FIELD",
        help="'Name: value' in the place of what was recorded, repeatable")  # fmt: skip
    add("--rate", type=float, default=0.0, metavar="N",
        help="requests per second to each side, whatever for (default: no limit)")  # fmt: skip
    add("--concurrency", type=int, default=8, metavar="N", help="at once (default 8)")
    add("--timeout", type=float, default=30.0, metavar="SECONDS", help="of an answer (default 30)")
    add("--writes", metavar="WORDS",
        help="also send what changes state, to both sides; say why that may be")  # fmt: skip
    add("--state", type=Path, metavar="FILE", help="results so far (default FILE.replay.db)")
    add("--max-mismatch", default="0%", metavar="RATE", help="of the compared (default 0%%)")
    add("--min-compared", type=int, default=1, metavar="N", help="pairs at least (default 1)")
    add("--html", type=Path, metavar="OUT", help="write the report as one page, too")


def run(args: argparse.Namespace, context: Context) -> int:
    """Replay, and end with the report."""
    from proxy.admin.members import parse_weight

    tolerated = parse_weight(args.max_mismatch)
    if tolerated is None:
        raise SettingsError(f"--max-mismatch: {args.max_mismatch!r} is not a share, such as 0.1%")
    if args.writes is not None and not args.writes.strip():
        raise SettingsError("--writes: say in a few words why both sides may be written to")
    if args.concurrency < 1 or args.rate < 0 or args.timeout <= 0:
        raise SettingsError("--concurrency and --timeout are above 0, --rate is not below")
    return _run(args, context, tolerated / 10_000)


def _run(args: argparse.Namespace, context: Context, tolerated: float) -> int:
    from proxy.commands.replay_plan import against
    from shadow_compare.replay.traffic import Traffic, files_of
    from shadow_compare.store.errors import StoreError

    try:
        with Traffic(files_of(args.files), args.format) as traffic:
            return asyncio.run(_replay(args, context, against(args), traffic, tolerated))
    except StoreError as error:
        raise SettingsError(f"the results cannot be kept: {error}") from error
    except RulesError as error:
        raise SettingsError("\n".join(map(str, error.problems))) from error
    except OSError as error:
        raise SettingsError(f"{error.filename or args.files[0]}: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(str(error)) from error


async def _replay(
    args: argparse.Namespace, context: Context, sides: Against, traffic: Traffic, tolerated: float
) -> int:
    from proxy.commands.replay_bar import bar_for
    from proxy.commands.replay_report import conclude
    from shadow_compare.redact import Redactor
    from shadow_compare.replay.progress import AnotherReplayError, Progress, metadata
    from shadow_compare.replay.run import Replay
    from shadow_compare.report import Report
    from shadow_compare.store.database import Database

    state = args.state or _state_of(args.files[0])
    database = Database(f"sqlite+aiosqlite:///{state.absolute()}", metadata)
    try:
        progress = Progress(database)
        try:
            resumed = await progress.resume(sides.what(args.files, traffic.size))
        except AnotherReplayError as error:
            raise SettingsError(f"{state}: {error}\n  delete it, or say --state") from error
        if resumed.count:
            done = f"{resumed.count:,} requests are done already"
            print_line(context.err, f"cutover: {done} ({state}); delete it to begin anew")
        replay = Replay(sides.plan, progress, Redactor(resumed.key))
        with bar_for(context.err, traffic.size) as bar, _stopped_by_signals():
            await replay.run(traffic, resumed, lambda: bar.move(traffic.position, _counts(replay)))
        return await conclude(args, context, Report(database), replay, tolerated)
    except asyncio.CancelledError:
        print_line(context.err, f"cutover: stopped; the same command goes on ({state})")
        return INTERRUPTED
    finally:
        await database.close()


def _counts(replay: Replay) -> Counts:
    from proxy.commands.replay_bar import Counts

    return Counts(replay.ended.total(), replay.ended["mismatch"])


def _state_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.replay.db")


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let SIGINT and SIGTERM end the run in order, with what has come so far kept.

    Only a main thread gets signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None  # noqa: S101 - within a coroutine there is one
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
