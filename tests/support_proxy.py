"""The real `cutover serve` in a directory of its own, and an operator's hands on it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.stack.ports import free_ports
from deploy.stack.program import ROOT
from proxy.routing.bucket import bucket_of
from tests.support import eventually_async
from tests.support_load import COOKIE

Plain = dict[str, Any]
PATIENCE = 30.0
TLS = ssl.create_default_context()  # made once: a client makes its own in 20 ms, used or not

RULES = """\
version: 1
upstreams:
  legacy: {{instances: ["http://127.0.0.1:{legacy}"], timeouts: {{connect: 1s, response: 20s}}}}
  modern: {{instances: ["http://127.0.0.1:{modern}"], timeouts: {{connect: 1s, response: 20s}}}}
defaults:
  sticky_by: [cookie:visitor]
  rollback: {{error_rate: 5%, p95: 5s, mismatch_rate: 100%, window: 60s, min_requests: 20}}
routes:
  - id: orders
    match: {{method: [GET], path: /orders}}
    weight: {weight}
    mirror: {{share: {mirror}, towards: [modern, legacy]}}
  - id: orders.write
    match: {{method: [POST], path: /orders}}
    weight: {weight}
  - id: rest
    match: {{path: /*}}
    weight: 0%
"""


def rules_between(legacy: int, modern: int, weight: str = "50%", mirror: str = "0%") -> str:
    """Give rules for two applications on these ports."""
    return RULES.format(legacy=legacy, modern=modern, weight=weight, mirror=mirror)


def bucket(identity: str, cookie: str = COOKIE) -> int:
    """Give the bucket of a client of `support_load`, by the salt of a file that names none."""
    return bucket_of(b"cutover", f"cookie:{cookie}={identity}".encode())


@dataclass(frozen=True)
class Said:
    """What a command of the command line printed, and its exit status."""

    code: int
    out: str
    err: str

    def json(self) -> Plain:
        """Parse what was printed."""
        data: Plain = json.loads(self.out)
        return data


class Proxy:
    """One proxy with its processes. `folder` holds rules, state and logs.

    `roles` is which processes there are besides the controller, in order of the alphabet; `program`
    is what Python is to run, `enter` a command before it that leads somewhere else, `token` what an
    operator shows where there are accounts.
    """

    def __init__(self, folder: Path, rules: str, *options: str) -> None:
        self.folder = folder
        self.rules = folder / "routing_rules.yaml"
        self.state = folder / "state"
        self.access_log = folder / "access.log"
        self.log = folder / "serve.log"
        self.port, self.admin_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin_url = f"http://127.0.0.1:{self.admin_port}"
        self.rules.write_text(rules)
        self.roles = ["shadow", "worker", "worker"]
        self.program: tuple[str, ...] = ("-m", "proxy")
        self.enter: tuple[str, ...] = ()
        self.token = ""
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the supervisor."""
        assert self._process is not None, "it was not started"
        return self._process.pid

    def launch(self) -> None:
        """Start it without waiting."""
        argv = [sys.executable, *self.program, "serve", "--rules", str(self.rules)]
        argv += ["--state", str(self.state), "--workers", "2", "--access-log", str(self.access_log)]
        argv += ["--listen", f"127.0.0.1:{self.port}"]
        argv += ["--admin-listen", f"127.0.0.1:{self.admin_port}", *self._options]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig=TERM", "--", *self.enter, *argv],
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def start(self) -> None:
        """Start it and wait until every worker has the rules."""
        self.launch()
        await self.settled()

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        os.kill(self.pid, signal.SIGTERM)

    async def ended(self) -> int:
        """Wait for the end; gives the exit status."""
        assert self._process is not None, "it was not started"
        return await asyncio.to_thread(self._process.wait, PATIENCE)

    async def stop(self) -> int:
        """Let it end in good order."""
        self.ask_to_stop()
        return await self.ended()

    def end(self) -> None:
        """End every process of it that is left."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(PATIENCE)

    # What an operator reads

    async def get(self, path: str, **query: str | int) -> Plain:
        """Read something of the API; raises OSError while nobody answers."""
        return await self._call("GET", f"/api/v1{path}", params=query)

    async def status(self) -> Plain:
        """Everything now."""
        return await self.get("/status")

    async def route(self, route: str = "orders") -> Plain:
        """One route now."""
        return await self.get(f"/routes/{route}")

    async def decisions(self, action: str = "") -> list[Plain]:
        """Give decisions with their evidence, newest first."""
        listed = (await self.get("/decisions"))["decisions"]
        chosen = [one for one in listed if action in ("", one["action"])]
        return [await self.get(f"/decisions/{one['id']}") for one in chosen]

    async def settled(self, version: int = 0) -> Plain:
        """Wait until all processes are there and have this version, or the newest."""

        async def in_force() -> Plain | None:
            status = await self.status()
            roles = sorted(one["role"] for one in status["workers"] if one["connected"])
            current = max(version, status["version"])
            known = all(w["version"] == current for w in status["workers"] if w["connected"])
            return status if known and roles == self.roles else None

        found = await eventually_async(in_force, PATIENCE, "every process has the newest version")
        assert found is not None
        return found

    async def text(self, path: str) -> str:
        """Read a page of the admin port."""
        async with httpx.AsyncClient(trust_env=False, verify=TLS) as client:
            try:
                answer = await client.get(f"{self.admin_url}{path}")
            except httpx.TransportError as error:
                raise ConnectionError(str(error)) from error
        assert answer.status_code == 200, answer.text
        return answer.text

    def log_lines(self) -> list[Plain]:
        """Read the access log."""
        return [json.loads(line) for line in self.access_log.read_text().splitlines()]

    # What an operator does

    async def send(self, method: str, path: str, **body: Any) -> Plain:
        """Change something by the API."""
        said = {"author": "ada", "reason": "a test of nerves", **body}
        return await self._call(method, f"/api/v1{path}", json=said)

    async def set_weight(self, weight: str, route: str = "orders") -> int:
        """Change a weight by the API; gives the version once every process has it."""
        version: int = (await self.send("PUT", f"/routes/{route}/weight", weight=weight))["number"]
        await self.settled(version)
        return version

    async def cli(self, *arguments: str) -> Said:
        """Run one command against this proxy."""
        process = await asyncio.create_subprocess_exec(
            *self.enter, sys.executable, "-m", "proxy", *arguments,
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "CUTOVER_ADMIN_URL": self.admin_url,
                "PYTHONWARNINGS": "error",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        return Said(process.returncode or 0, out.decode(), err.decode())

    def write_rules(self, text: str) -> None:
        """Put another file in place by a rename, as editors do."""
        temporary = self.rules.with_name("edited.tmp")
        temporary.write_text(text)
        temporary.replace(self.rules)

    async def edit_rules(self, text: str) -> int:
        """Put another valid file in place; gives the version once every process has it."""
        before = (await self.status())["version"]
        self.write_rules(text)

        async def taken() -> int:
            version: int = (await self.status())["version"]
            return version if version > before else 0

        version = await eventually_async(taken, PATIENCE, "the edited rules are in force")
        assert version
        await self.settled(version)
        return version

    # What goes wrong

    async def pids(self, role: str) -> list[int]:
        """Give the process ids of all processes of a role: controller, shadow or worker."""
        if role == "controller":
            holder = (self.state / "bus.lock").read_text()  # empty while the lock changes hands
            return [int(holder)] if holder else []
        workers = (await self.status())["workers"]
        return [one["pid"] for one in workers if one["role"] == role and one["connected"]]

    async def _call(self, method: str, path: str, **options: Any) -> Plain:
        bearer = {"authorization": f"Bearer {self.token}"} if self.token else {}
        async with httpx.AsyncClient(
            trust_env=False, verify=TLS, timeout=PATIENCE, headers=bearer
        ) as client:
            try:
                answer = await client.request(method, f"{self.admin_url}{path}", **options)
            except httpx.TransportError as error:
                raise ConnectionError(str(error)) from error
        if answer.status_code >= 400:
            raise RefusedError(answer.text)
        data: Plain = answer.json()
        return data


class RefusedError(Exception):
    """The API has refused; the text is its answer."""


@contextmanager
def proxy_folder() -> Iterator[Path]:
    """Give a private directory with a short path, as a socket's address has room for 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="cutover-tests-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
