"""`make demo`: starts the stack with the tour's rules and the fault switch, and plays the tour."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
from pathlib import Path

from rich.console import Console

from deploy.demo.admin import Admin, TourError
from deploy.demo.tour import Tour
from deploy.demo.traffic import Traffic
from deploy.stack.errors import StackError
from deploy.stack.ports import Ports
from deploy.stack.stack import RUN_DIR, Options, Stack

RULES = Path(__file__).with_name("routing_rules.yaml")

EPILOG = """examples:
  make demo
  python -m deploy.demo --rate 150 --seed 11
  python -m deploy.demo --hold 3 --compared 100     a short tour
"""


def main(argv: list[str] | None = None) -> int:
    """Play the tour; gives 0 when every act ended as it should."""
    arguments = _parser().parse_args(argv)
    out = Console(highlight=False)
    try:
        return asyncio.run(_play(arguments, out))
    except (TourError, StackError) as error:
        out.print(f"[bold red]The tour stopped:[/] {error}")
        return 1
    except KeyboardInterrupt:
        out.print("Stopped; the stack goes on running (make stop ends it).")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.demo",
        description="A guided tour on the running stack, with customers who browse and buy.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rate", type=float, default=80.0, help="requests a second (default 80)")
    parser.add_argument("--customers", type=int, default=400, help="people (default 400)")
    parser.add_argument("--seed", type=int, default=7, help="the same seed, the same customers")
    parser.add_argument("--hold", type=float, default=8.0, help="seconds to watch each step")
    parser.add_argument("--compared", type=int, default=300, help="comparisons that are evidence")
    parser.add_argument("--run-dir", type=Path, default=RUN_DIR, help="where the stack lives")
    return parser


async def _play(arguments: argparse.Namespace, out: Console) -> int:
    stack = await asyncio.to_thread(_stack_up, arguments, out)
    admin = Admin(f"http://127.0.0.1:{stack.ports.console}")
    traffic = Traffic(
        f"http://127.0.0.1:{stack.ports.proxy}",
        rate=arguments.rate,
        customers=arguments.customers,
        seed=arguments.seed,
    )
    out.print(
        f"{arguments.customers} customers, {arguments.rate:g} requests a second,"
        f" seed {arguments.seed}. Console: [bold]{admin.base_url}[/]"
    )
    running = asyncio.create_task(traffic.run())
    try:
        await Tour(stack, admin, traffic, out, arguments.compared, arguments.hold).run()
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await traffic.close()
        await admin.close()
    return 0


def _stack_up(arguments: argparse.Namespace, out: Console) -> Stack:
    """Start the stack with the tour's own copy of the rules, which the tour will edit."""
    run_dir: Path = arguments.run_dir
    folder = run_dir.resolve() / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    rules = folder / "routing_rules.yaml"
    text = RULES.read_text().replace("compared: 300", f"compared: {arguments.compared}")
    rules.write_text(text.replace("hold: 8s", f"hold: {arguments.hold:g}s"))
    stack = Stack(
        run_dir.resolve(),
        Ports.load(run_dir / "ports.json").overridden(os.environ),
        Options(rules=rules, faults=True),
        report=lambda line: out.print(f"[dim]{line}"),
    )
    stack.up()
    return stack


if __name__ == "__main__":
    sys.exit(main())
