"""The process that puts captures on the Redis stream, and what else needs to know where that is."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any, Final

from proxy.bootstrap.paths import StatePaths
from proxy.bootstrap.process import until_stopped
from proxy.bus_url import BusUrl
from proxy.control.bus.local import LocalUplink
from proxy.errors import SettingsError
from proxy.outcome import OutcomeBatch
from proxy.serving.vitals import Pulse
from proxy.settings import ServeSettings

if TYPE_CHECKING:
    from shadow_compare.stream.place import Place

TOLD: Final = 0.25
"""Seconds between words to the controller of captures that were forwarded."""


async def forward(settings: ServeSettings, paths: StatePaths, index: int, pulse: Pulse) -> None:
    """Put captures on the stream until a signal, and tell the controller what came of it."""
    from shadow_compare.stream.forwarder import Forwarder

    forwarder, version = Forwarder(place_of(settings.bus)), 0

    def on_message(kind: str, payload: dict[str, Any]) -> None:
        nonlocal version
        if kind == "snapshot":
            version = payload["version"]
            uplink.send("ack", {"version": version})

    async def tell() -> None:
        while True:
            await asyncio.sleep(TOLD)
            added = forwarder.take_added()
            batch = OutcomeBatch(
                worker=index,
                pid=os.getpid(),
                version=version,
                at=time.time(),
                captures_dropped=forwarder.take_dropped(),
                events={"captures_forwarded": {"": added}} if added else {},
                stream=forwarder.figures,
            )
            uplink.send("outcomes", batch.to_wire())

    hello = {"role": "forwarder", "index": index, "pid": os.getpid()}
    uplink = LocalUplink(paths.bus, hello, on_message, lambda _: None)
    background = [asyncio.create_task(uplink.run()), asyncio.create_task(tell())]
    pulse.is_ready()
    try:
        await until_stopped(forwarder.run(paths.captures))
    finally:
        for task in background:
            task.cancel()


def place_of(bus: BusUrl) -> Place:
    """Where captures are in Redis; raises SettingsError when its client is not installed."""
    try:
        from shadow_compare.stream.place import Place
    except ImportError as error:
        raise SettingsError(
            f"--bus {bus} needs the package redis: pip install 'cutover[redis]'"
        ) from error
    return Place(bus.url, bus.prefix)
