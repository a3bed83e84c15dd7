"""A side in trouble: `python -m bench.mirror.side PORT SECONDS` answers each request so late.

With no SECONDS it takes every connection and never answers.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

SLOW = 10.0
"""Seconds until the slow side answers."""

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def serve(port: int, seconds: float | None) -> None:
    """Listen until ended."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(seconds if seconds is not None else 1e9)
                writer.write(ANSWER)

    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else None))
