"""The README is true: what it shows is run, in order, on a stack as `make run` starts it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.stack import Options, Ports, Stack
from tests.support import eventually
from tests.support_docs import ROOT, blocks

README = (ROOT / "README.md").read_text(encoding="utf-8")

# What is another one at each run, and what stands in its place on both sides of the comparison.
_VARYING = (
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"), "DATE"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{3}Z"), "TIME"),
    (re.compile(r'(?<="generated_at":")[^"]+'), "TIME"),
    (re.compile(r"(?<=PHP/)[\d.]+"), "RELEASE"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:ms|s|min|h)\b"), "DURATION"),
    (re.compile(r"\d+(?:\.\d+)?(?:/s| rps)"), "RATE"),
    # The clock of the two answers may stand at different seconds, which a rule of the file ignores.
    (re.compile(r"\d+ match, \d+ ignored"), "ALIKE"),
    # Which detector comes first hangs on how many good requests stand in the window, and on who is
    # told first: the clients' failures or the mirrored ones.
    (re.compile(r"error rate of [\d.]+% over \d+ requests is above 5.00%"), "PROOF"),
    (re.compile(r"(?:of )?\d+ (?:of \d+|mirrored) [^:\n]*: this proves \([^)]*\)[^\n]*"), "PROOF"),
    (re.compile(r"[ \t]+"), " "),
)

_OF_THE_STACK = "python -m deploy.stack "


@dataclass(frozen=True)
class Shown:
    """A command as the README shows it, and its output there."""

    command: str
    output: str


def _shown() -> list[Shown]:
    found = []
    for block in blocks(README, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append(Shown(command, output))
    return found


class Reader:
    """Somebody who types the README's commands into a shell."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._env = {
            **os.environ,
            **stack.environment(),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
        }

    def types(self, command: str) -> str:
        """Run one command where the reader stands, and give what it prints, in standard terms."""
        if command.startswith(_OF_THE_STACK):
            return self._does(*command.removeprefix(_OF_THE_STACK).split())
        command = command.replace("localhost:8080", f"localhost:{self._stack.ports.proxy}")
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=ROOT,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        output = done.stdout + done.stderr
        rules = str(self._stack.cutover.rules)
        for ours, standard in (
            (rules, "routing_rules.yaml"),
            (f":{self._stack.ports.proxy}", ":8080"),
            (f":{self._stack.ports.console}", ":8090"),
        ):
            output = output.replace(ours, standard)
        return output

    def _does(self, action: str, name: str) -> str:
        """Do to this stack what the command does to the standard one; like that, it says nothing.

        In this process, so that a server which is started again ends with the test as all others.
        """
        match action:
            case "kill":
                self._stack.server(name).kill()
            case "restart":
                self._stack.restart(name)
            case _:
                raise ValueError(action)
        return ""


def _all_is_mirrored(stack: Stack) -> bool:
    """Ask for something on a few new connections, and say whether no capture was dropped.

    The workers of a fresh start reach the shadow worker some milliseconds after the first client
    can reach them; no newcomer types as fast as this test does.
    """
    sent, dropped = _captures(stack)
    for _ in range(8):
        _get(f"http://127.0.0.1:{stack.ports.proxy}/api/users/1")
    eventually(lambda: sum(_captures(stack)) >= sent + dropped + 8, what="all eight are told")
    return _captures(stack)[1] == dropped


def _captures(stack: Stack) -> tuple[float, float]:
    """Give how many captures were sent and dropped so far."""
    lines = _get(f"http://127.0.0.1:{stack.ports.console}/metrics").decode().splitlines()
    values = [line.split() for line in lines if line.startswith("cutover_captures_")]
    sent = sum(float(value) for name, value in values if name == "cutover_captures_sent_total")
    return sent, sum(float(value) for name, value in values if "dropped_total{" in name)


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own loopback address
        body: bytes = answer.read()
        return body


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """Give a reader on a stack of their own, because the outputs depend on all that came before."""
    run_dir = Path(tempfile.mkdtemp(prefix="cutover-readme-"))
    stack = Stack(run_dir, Ports.free(), Options(fast=True, tied=True))
    try:
        stack.up()
        eventually(lambda: _all_is_mirrored(stack), 20, "captures from every worker")
        yield Reader(stack)
    finally:
        stack.down()
        shutil.rmtree(run_dir, ignore_errors=True)


def test_the_readme_shows_what_happens(reader: Reader) -> None:
    """Each command prints what the README says, in the order in which a newcomer types them."""
    shown = _shown()
    assert sum("curl" in one.command for one in shown) >= 5
    for one in shown:
        _compare(reader, one)


def _compare(reader: Reader, one: Shown) -> None:
    """Compare one output; what only reads may be asked again until counts have arrived."""
    reads = one.command.startswith(("cutover routes", "cutover diffs"))

    def matches() -> bool:
        printed = reader.types(one.command)
        assert _normal(printed) == _normal(one.output), f"$ {one.command}\n{printed}"
        return True

    if reads:
        eventually(matches, deadline=20, what=f"the output shown of: {one.command}")
    else:
        assert matches()


def _normal(output: str) -> str:
    for varying, word in _VARYING:
        output = varying.sub(word, output)
    return "\n".join(line.rstrip() for line in output.strip().splitlines())
