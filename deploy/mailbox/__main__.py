"""`python -m deploy.mailbox`: the mail server on the loopback address, or another."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from deploy.mailbox.server import start


async def main() -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m deploy.mailbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where the mails are kept")
    options = parser.parse_args()
    server = await start(options.port, options.folder, options.host)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
