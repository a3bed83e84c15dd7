"""A data plane worker in a process of its own: `worker_alone LEGACY_PORT STATE`; says its port."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import orjson
import uvloop

from proxy.serving.drain import Patience
from proxy.serving.listener import Listener, listeners
from proxy.serving.mirror import Mirror
from proxy.serving.plane import Plane
from proxy.serving.worker import Worker
from tests.support_plane import NoUplink, document, snapshot


async def main(legacy: int, state: Path) -> None:
    """Serve until SIGTERM."""
    file = state / "snapshot.json"
    file.write_bytes(orjson.dumps(snapshot(document(legacy, legacy)).to_wire()))
    mirror = Mirror([])
    plane = Plane(0, 1, b"k" * 32, mirror, None, asyncio.get_running_loop().time, time.time)
    listener = listeners(("127.0.0.1", 0), 1)[0]
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    worker = Worker(plane, mirror, None, [Listener(listener)], file, Patience(drain=1.0))
    await worker.run(lambda _: NoUplink())


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), Path(sys.argv[2])))
