from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import sleep

import pytest

from shadow_compare.aside.process import Aside, AsideError
from shadow_compare.budget import check_depth
from shadow_compare.normalize import NotComparableError
from tests.support import eventually, eventually_async


@asynccontextmanager
async def an_aside(
    waiting_max: int = 4, seconds: float = 30.0, idle: float = 30.0
) -> AsyncIterator[Aside]:
    """Give one whose process is gone afterwards."""
    aside = Aside(waiting_max, seconds, idle)
    try:
        yield aside
    finally:
        await aside.close()
    assert aside.pid is None


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not waited for does not."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


async def working(aside: Aside) -> tuple[asyncio.Task[None], int]:
    """Give work that takes for ever, and the process that is at it."""
    work = asyncio.create_task(aside.run(sleep, 3600.0))

    async def started() -> int:
        return aside.pid or 0

    pid = await eventually_async(started)
    assert pid
    return work, pid


async def test_work_is_done_by_one_process_in_turn() -> None:
    """It is started by the first piece, and gives what the function gives, of any size."""
    async with an_aside() as aside:
        assert aside.pid is None
        pids = await asyncio.gather(*(aside.run(os.getpid) for _ in range(3)))
        assert set(pids) == {aside.pid}
        assert len(await aside.run(bytes, 20_000_000)) == 20_000_000


async def test_what_goes_wrong_comes_back() -> None:
    """A reason as a reason, a failure with its text, and the process goes on."""
    async with an_aside() as aside:
        with pytest.raises(NotComparableError, match="too_deep"):
            await aside.run(check_depth, 10_000)
        with pytest.raises(AsideError, match="ZeroDivisionError"):
            await aside.run(divmod, 1, 0)
        with pytest.raises(NotComparableError, match="too_big"):
            await aside.run(bytes, 3 * 1024**3)
        assert await aside.run(divmod, 7, 2) == (3, 1)


async def test_killed_it_loses_what_it_was_at_and_nothing_else() -> None:
    """What waits is done by the next process."""
    async with an_aside() as aside:
        work, pid = await working(aside)
        waiting = asyncio.create_task(aside.run(divmod, 7, 2))
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(NotComparableError, match="aside_died"):
            await work
        assert await waiting == (3, 1)
        assert aside.pid not in (None, pid)


async def test_work_that_takes_too_long_is_ended() -> None:
    """With its process, as it may be at something that never looks at the clock."""
    async with an_aside(seconds=0.5) as aside:
        work, pid = await working(aside)
        with pytest.raises(NotComparableError, match="too_slow"):
            await work
        assert not is_alive(pid)


async def test_no_more_waits_than_there_is_room_for() -> None:
    """The rest is dropped at once."""
    async with an_aside(waiting_max=2) as aside:
        work, _ = await working(aside)
        waiting = asyncio.create_task(aside.run(divmod, 7, 2))
        await asyncio.sleep(0)
        with pytest.raises(NotComparableError, match="dropped"):
            await aside.run(divmod, 7, 2)
        work.cancel()
        assert await waiting == (3, 1)


async def test_given_up_work_is_ended() -> None:
    """Its answer never passes for that of the next."""
    async with an_aside() as aside:
        work, pid = await working(aside)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert not is_alive(pid)
        assert await aside.run(divmod, 7, 2) == (3, 1)


async def test_without_work_the_process_ends() -> None:
    """And another one is started for the next piece."""
    async with an_aside(idle=0.05) as aside:
        first = await aside.run(os.getpid)

        async def ended() -> bool:
            return not is_alive(first)

        await eventually_async(ended)
        assert await aside.run(os.getpid) != first


async def test_a_process_that_is_ending_is_waited_for() -> None:
    """Whoever closes at that moment leaves nothing behind."""
    async with an_aside(idle=0.0) as aside:
        pid = await aside.run(os.getpid)

        async def let_go() -> bool:
            return aside.pid is None

        await eventually_async(let_go)
    assert not is_alive(pid)


def test_it_ends_with_its_worker() -> None:
    """Killed in the middle of work, too."""
    program = (
        "import asyncio, time\n"
        "from shadow_compare.aside.process import Aside\n"
        "async def main():\n"
        "    aside = Aside(4, 30)\n"
        "    await aside.run(divmod, 7, 2)\n"
        "    print(aside.pid, flush=True)\n"
        "    await aside.run(time.sleep, 3600)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline())
        assert is_alive(pid)
        worker.kill()
        worker.wait()
    eventually(lambda: not is_alive(pid))
