"""Listening on a channel of Redis, in a way that notices when nothing can be heard any more."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from proxy.control.bus.redis_place import BEAT, GONE, SILENCE, goes_on


@asynccontextmanager
async def subscribed(client: Redis, channel: str) -> AsyncIterator[PubSub]:
    """Listen to a channel: from then on nothing is missed. Raises what `GONE` names."""
    pubsub = client.pubsub()
    try:
        await pubsub.subscribe(channel)
        if await pubsub.get_message(timeout=SILENCE) is None:
            raise TimeoutError("Redis does not answer")
        yield pubsub
    finally:
        with suppress(*GONE):
            await pubsub.aclose()  # type: ignore[no-untyped-call]


async def heard(pubsub: PubSub) -> AsyncIterator[bytes]:
    """Yield what comes in; raises TimeoutError when Redis itself has become silent.

    A cut connection looks like one on which nobody speaks, so Redis is asked for a sign of life.
    """
    last = asked = time.monotonic()
    while goes_on():
        message = await pubsub.get_message(timeout=BEAT)
        now = time.monotonic()
        if message is not None:
            last = now
            if message["type"] == "message":
                yield message["data"]
        elif now - last > SILENCE:
            raise TimeoutError("nothing is heard of Redis any more")
        if now - asked >= BEAT:
            asked = now
            await pubsub.ping()
