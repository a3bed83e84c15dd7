"""Starting and stopping replays from API and console: one at a time, of own recordings only.

Who asks names neither a file nor an address: what is replayed is a recording that this host made,
and it is sent to the upstreams of the rules in force and nowhere else.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from proxy.admin.interfaces import Controller
from proxy.admin.people import Signed
from proxy.admin.replay_jobs import (
    KEPT,
    LOG,
    PAGE,
    RESULT,
    RULES,
    STATE,
    Job,
    Order,
    Stage,
    is_id,
    job_at,
    jobs_in,
    stop,
    write_order,
)
from proxy.errors import NotFoundError, RefusedError
from proxy.routing.schema import load_rules
from proxy.routing.side import Side

RATE: Final = 20
RATE_MOST: Final = 500
"""Requests a second to each side, if nobody says otherwise, and at most."""
CONCURRENCY: Final = 4


class Replaying:
    """Keeps replays beside the recordings of this host."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._starting = asyncio.Lock()
        self._ended: set[asyncio.Task[int]] = set()

    @property
    def folder(self) -> Path:
        """Where replays are kept."""
        return self._controller.recordings.folder.with_name("replays")

    async def all(self) -> list[Job]:
        """Give all that are kept, the newest first."""
        return await asyncio.to_thread(jobs_in, self.folder)

    async def one(self, name: str) -> Job:
        """Give one with its result; raises NotFoundError."""
        found = await asyncio.to_thread(job_at, self._at(name), whole=True)
        if found is None:
            raise NotFoundError(f"there is no replay {name!r}; old ones are removed")
        return found

    def page_of(self, name: str) -> Path:
        """Give the file with the whole report of a replay; raises NotFoundError."""
        page = self._at(name) / PAGE
        if not page.is_file():
            raise NotFoundError(f"there is no report of a replay {name!r}")
        return page

    async def start(self, recording: str, rate: int, signed: Signed) -> Order:
        """Begin one; raises NotFoundError for no recording, RefusedError while another runs."""
        async with self._starting:
            kept = await asyncio.to_thread(self._controller.recordings.kept)
            found = next((each for each in kept if each.id == recording), None)
            if found is None:
                raise NotFoundError(f"there is no recording {recording!r} on this host")
            jobs = await self.all()
            busy = next((job for job in jobs if job.stage is Stage.RUNNING), None)
            if busy is not None:
                raise RefusedError(
                    f"the replay {busy.order.id} is running; stop it, or wait for it"
                )
            order, rules = await self._order(recording, rate, signed, jobs)
            await self._controller.note_aside(
                "replay_start",
                author=signed.author,
                reason=signed.reason,
                evidence={"replay": order.id, "recording": recording, "rate": rate},
            )
            await asyncio.to_thread(self._make_room, jobs)
            await asyncio.to_thread(write_order, self.folder / order.id, order, rules)
            await self._run(self.folder / order.id, found.folder, rate)
            return order

    async def stop(self, name: str, signed: Signed) -> None:
        """End a replay; raises NotFoundError, and RefusedError when it is not running."""
        found = await self.one(name)
        if not await asyncio.to_thread(stop, self._at(name)):
            raise RefusedError(f"the replay {name} is {found.stage} already")
        await self._controller.note_aside(
            "replay_stop",
            author=signed.author,
            reason=signed.reason,
            evidence={"replay": name},
        )

    async def _order(
        self, recording: str, rate: int, signed: Signed, jobs: list[Job]
    ) -> tuple[Order, str]:
        version = await self._controller.version(self._controller.brief().version)
        _, rules = await asyncio.to_thread(load_rules, version.text, f"version {version.number}")
        now = time.time()
        name = f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}"
        if any(job.order.id == name for job in jobs):
            name = f"{name}-{len(jobs)}"
        targets = tuple(rules.upstream(side).instances[0] for side in Side)
        order = Order(
            name, now, recording, version.number, rate, signed.author, signed.reason,
            (targets[0], targets[1]),
        )  # fmt: skip
        return order, version.text

    async def _run(self, folder: Path, recording: Path, rate: int) -> None:
        """Start `cutover replay` in a session of its own: it outlives who looks, and a restart."""
        command = (
            sys.executable, "-m", "proxy", "replay", str(recording),
            "--rules", str(folder / RULES), "--state", str(folder / STATE),
            "--html", str(folder / PAGE), "--json",
            "--rate", str(rate), "--concurrency", str(CONCURRENCY), "--max-mismatch", "100%",
        )  # fmt: skip
        with (folder / RESULT).open("wb") as result, (folder / LOG).open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=result,
                stderr=log,
                start_new_session=True,
            )
        task = asyncio.create_task(process.wait())
        self._ended.add(task)
        task.add_done_callback(self._ended.discard)

    def _make_room(self, jobs: list[Job]) -> None:
        for job in jobs[KEPT - 1 :]:
            shutil.rmtree(self.folder / job.order.id, ignore_errors=True)

    def _at(self, name: str) -> Path:
        if not is_id(name):
            raise NotFoundError(f"there is no replay {name!r}")
        return self.folder / name
