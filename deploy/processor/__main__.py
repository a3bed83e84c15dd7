"""`python -m deploy.processor`: the processor on the loopback address, or another."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn

from deploy.processor.app import HELD_SECONDS, create_app


def main() -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m deploy.processor", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where its journal is kept")
    parser.add_argument("--held", type=float, default=HELD_SECONDS, help="seconds of a lost answer")
    options = parser.parse_args()
    app = create_app(options.folder, options.held)
    uvicorn.run(
        app, host=options.host, port=options.port, access_log=False, timeout_graceful_shutdown=1
    )


if __name__ == "__main__":
    main()
