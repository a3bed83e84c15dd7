from __future__ import annotations

import asyncio

import pytest

from shadow_compare.dry_run import dry_run, effects, is_dry_run, recorded
from shadow_compare.dry_run.run import EFFECTS_MAX, DryRun, inside


def test_for_real_nothing_is_recorded() -> None:
    """And what is asked says so, so that the effect happens."""
    assert not is_dry_run()
    assert not recorded("mail", to="a@example.com")
    assert effects() == ()
    assert dry_run() is None


def test_effects_are_recorded_up_to_a_number() -> None:
    """What loops for ever does not fill the memory."""
    run = DryRun("r")
    with inside(run):
        assert recorded("mail", to="a@example.com")
        for number in range(EFFECTS_MAX):
            assert recorded("task", number=number)
        assert (effects()[0].kind, effects()[0].details) == ("mail", {"to": "a@example.com"})
        assert (len(effects()), run.uncounted) == (EFFECTS_MAX, 1)


async def test_tasks_and_threads_of_a_dry_run_belong_to_it() -> None:
    """Those that asyncio starts; what outlives the run is still none for real."""
    run = DryRun("r")
    with inside(run):
        later = asyncio.create_task(_is_dry_after(0.001))
        assert await asyncio.to_thread(is_dry_run)
    assert not is_dry_run()
    await run.end()
    assert await later


async def _is_dry_after(seconds: float) -> bool:
    await asyncio.sleep(seconds)
    found = dry_run()
    return found is not None and found.ended


async def test_what_is_cleaned_up_last_entered_goes_first() -> None:
    """A transaction before the connection that it is on."""
    run = DryRun("r")
    done: list[str] = []
    run.cleanup.callback(done.append, "connection")
    run.cleanup.callback(done.append, "transaction")
    run.held["engine"] = object()
    await run.end()
    assert (done, run.held, run.ended) == (["transaction", "connection"], {}, True)


async def test_what_cannot_be_undone_is_told() -> None:
    """Whoever ends the run must not acknowledge it."""
    run = DryRun("r")
    run.cleanup.callback(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await run.end()
