"""The process that puts captures on the Redis stream, and what else needs to know where that is."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any, Final

from proxy.bootstrap.logs import log
from proxy.bootstrap.paths import StatePaths
from proxy.bootstrap.process import until_stopped
from proxy.bootstrap.recorder import keep_recordings, recorder
from proxy.bootstrap.shadow_rules import compare_rules
from proxy.bus_url import BusUrl
from proxy.control.bus.local import LocalUplink
from proxy.errors import RulesError, SettingsError
from proxy.outcome import OutcomeBatch
from proxy.serving.vitals import Pulse
from proxy.settings import ServeSettings
from proxy.snapshot import Snapshot
from shadow_compare.config import key_at
from shadow_compare.recorder.passing import PassingRecorder
from shadow_compare.redact import Redactor

if TYPE_CHECKING:
    from shadow_compare.stream.place import Place

TOLD: Final = 0.25
"""Seconds between words to the controller of captures that were forwarded."""


async def forward(settings: ServeSettings, paths: StatePaths, index: int, pulse: Pulse) -> None:
    """Put captures on the stream until a signal, and tell the controller what came of it."""
    place = place_of(settings.bus)
    from shadow_compare.stream.forwarder import Forwarder

    secrets, writing = _Secrets(paths), recorder(paths, "forwarder", 1)
    forwarder = Forwarder(place, sieve=PassingRecorder(writing, secrets.redactor_of))

    def on_message(kind: str, payload: dict[str, Any]) -> None:
        if kind == "snapshot":
            secrets.learn(payload)
            uplink.send("ack", {"version": secrets.version})

    async def tell() -> None:
        while True:
            await asyncio.sleep(TOLD)
            added = forwarder.take_added()
            batch = OutcomeBatch(
                worker=index,
                pid=os.getpid(),
                version=secrets.version,
                at=time.time(),
                captures_dropped=forwarder.take_dropped(),
                events={"captures_forwarded": {"": added}} if added else {},
                stream=forwarder.figures,
            )
            uplink.send("outcomes", batch.to_wire())

    hello = {"role": "forwarder", "index": index, "pid": os.getpid()}
    uplink = LocalUplink(paths.bus, hello, on_message, lambda _: None)
    jobs = (uplink.run(), tell(), keep_recordings(settings, writing))
    background = [asyncio.create_task(job) for job in jobs]
    pulse.is_ready()
    try:
        await until_stopped(forwarder.run(paths.captures))
    finally:
        for task in background:
            task.cancel()
        writing.close()


class _Secrets:
    """What routes call secret, by the rules in force."""

    def __init__(self, paths: StatePaths) -> None:
        self.version = 0
        self._redactor = Redactor(key_at(paths.redaction_key))
        self._last: Snapshot | None = None
        self._redactors: dict[str, Redactor] = {}

    def learn(self, payload: dict[str, Any]) -> None:
        """Take what the controller publishes; what cannot be read leaves nothing recorded."""
        self.version, before = payload["version"], self._last
        try:
            self._last = Snapshot.from_wire(payload, before)
        except RulesError as error:
            log.error("the forwarder does not know the rules, and records nothing: %s", error)
            self._last, self._redactors = None, {}
            return
        if before is None or self._last.rules is not before.rules:
            self._redactors = {
                route.id: self._redactor.declaring(compare_rules(route).redact)
                for route in self._last.rules.routes
            }

    def redactor_of(self, route: str) -> Redactor | None:
        """Give what redacts for a route that is known."""
        return self._redactors.get(route)


def place_of(bus: BusUrl) -> Place:
    """Where captures are in Redis; raises SettingsError when its client is not installed."""
    try:
        from shadow_compare.stream.place import Place
    except ImportError as error:
        raise SettingsError(
            f"--bus {bus} needs the package redis: pip install 'cutover[redis]'"
        ) from error
    return Place(bus.url, bus.prefix)
