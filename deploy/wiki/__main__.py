"""`make wiki`: reads one wiki through the proxy while the other is compared, and changes a word."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

import httpx

from deploy.stack.cutover import Cutover
from deploy.stack.errors import StackError
from deploy.stack.ports import Ports
from deploy.stack.server import Server
from deploy.stack.stack import RUN_DIR
from deploy.wiki.instance import Wiki
from deploy.wiki.packages import unpacked
from deploy.wiki.reader import Reader

RULES = Path(__file__).with_name("routing_rules.yaml")
_GIVEN_UP = 60.0
"""Seconds without a new comparison after which those that are missing are taken for lost."""


def main(argv: list[str] | None = None) -> int:
    """Tell the story; gives 0 when it ended as it should."""
    arguments = _parser().parse_args(argv)
    run_dir = arguments.run_dir / "wiki"
    ports = Ports.free()
    started: list[Server] = []
    try:
        packages = unpacked(run_dir)
        modern = Wiki("modern", run_dir, ports.modern, packages)
        cutover = Cutover(run_dir, ports, rules=_rules(run_dir), workers=1, tied=True)
        legacy = Wiki("legacy", run_dir, ports.legacy, packages)
        servers: tuple[Server, ...] = (legacy, modern, cutover)
        for server in servers:
            started.append(server)
            server.start()
        return 0 if _play(ports, modern, arguments.pages) else 1
    except (StackError, httpx.HTTPError) as error:
        print(f"wiki: {error}", file=sys.stderr)
        return 1
    finally:
        for server in reversed(started):
            server.stop()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.wiki",
        description="Two DokuWikis of Debian as legacy and modern behind the proxy. Both are the "
        "same: every answer must be MATCH or IGNORED, with no rule. Then one word of modern's "
        "template is changed: that must be found, as the only group of differences.",
        epilog="example: python -m deploy.wiki --pages 1000",
    )
    parser.add_argument("--pages", type=int, default=400, help="read in each part (default 400)")
    parser.add_argument("--run-dir", type=Path, default=RUN_DIR, help="where everything lives")
    return parser


def _rules(run_dir: Path) -> Path:
    """Begin anew: no rule, no comparison of an earlier run."""
    shutil.rmtree(run_dir / "cutover", ignore_errors=True)
    rules = run_dir / "cutover" / "routing_rules.yaml"
    rules.parent.mkdir(parents=True)
    shutil.copy(RULES, rules)
    return rules


def _play(ports: Ports, modern: Wiki, pages: int) -> bool:
    reader = Reader(f"http://127.0.0.1:{ports.proxy}", seed=7)
    api = httpx.Client(base_url=f"http://127.0.0.1:{ports.console}/api/v1", timeout=10.0)
    print(f"Read {pages} pages: statuses {dict(reader.read(pages))}")
    before = _told(api, pages)
    old, new = modern.change_a_word()
    print(f"In modern's template {old} is now {new}. Read {pages} pages: ", end="")
    print(f"statuses {dict(reader.read(pages))}")
    after = _told(api, 2 * pages)
    return not before and len(after) == 1


def _told(api: httpx.Client, read: int) -> list[dict[str, object]]:
    """Wait until all that was read is compared, print what came of it, and give the groups."""
    coverage = _settled(api, read)
    print("  " + ", ".join(f"{name} {count}" for name, count in coverage.items() if count))
    groups: list[dict[str, object]] = api.get("/differences").json()["differences"]
    for group in groups:
        print(f"  {group['count']} times {group['kinds']} at {group['paths']}, for example")
        print(f"    legacy {group['example_old']}\n    modern {group['example_new']}")
    if not groups:
        print("  no differences")
    return groups


def _settled(api: httpx.Client, read: int) -> dict[str, object]:
    """Give the coverage once it counts all that was read; raises StackError when it never does."""
    last, since = None, time.monotonic()
    while True:
        (route,) = api.get("/coverage").json()["coverage"] or [{}]
        eligible = route.get("eligible", 0)
        if eligible != last:
            last, since = eligible, time.monotonic()
        elif time.monotonic() - since > _GIVEN_UP:
            raise StackError(f"{read} pages were read, and only {eligible} comparisons ended")
        if eligible >= read:
            names = ("match", "ignored", "ignored_by_reason", "mismatch", "not_compared", "fired")
            return {name: route.get(name) for name in names}
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
