"""A controller in a process of its own, to be killed: `python THIS DIRECTORY`, ready on stdout."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from proxy.clock import SystemClock
from proxy.control.bus.local import LocalBus
from proxy.control.controller import Controller
from proxy.control.loader import RulesFile
from proxy.control.publisher import Publisher
from proxy.control.store.sql import SqlStore
from proxy.recording import RecordingFile


def controller_in(directory: Path) -> Controller:
    """Give a controller of real parts."""
    clock = SystemClock()
    publisher = Publisher(
        directory / "snapshot.json",
        lambda on_message, on_state: LocalBus(directory / "bus.sock", on_message, on_state),
    )
    store = SqlStore(f"sqlite+aiosqlite:///{directory / 'cutover.db'}")
    rules, recording = RulesFile(directory / "routing_rules.yaml", clock), RecordingFile(directory)
    return Controller(rules, store, publisher, clock, recording)


async def main() -> None:
    """Run until killed."""
    controller = controller_in(Path(sys.argv[1]))
    await controller.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await controller.run()


if __name__ == "__main__":
    asyncio.run(main())
