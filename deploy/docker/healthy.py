"""Says by its exit status whether a service in this container is healthy; no tools needed.

python healthy.py http://HOST:PORT/PATH   answers 200
python healthy.py tcp://HOST:PORT         accepts a connection
python healthy.py unix:FILE               a Unix socket there accepts a connection
python healthy.py fresh:FILE:SECONDS      was written to that recently, or FILE.db and the like
"""

import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

TIMEOUT = 3


def healthy(what: str) -> bool:
    """Return the verdict on one thing to ask, in one of the forms above."""
    if what.startswith("fresh:"):
        _, file, seconds = what.split(":")
        folder, name = Path(file).parent, Path(file).name
        # Database libraries add endings of their own, such as beat.db.
        written = max((one.stat().st_mtime for one in folder.glob(f"{name}*")), default=0.0)
        return time.time() - written < float(seconds)
    if what.startswith("unix:"):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(TIMEOUT)
            peer.connect(what.removeprefix("unix:"))
            return True
    address = urlsplit(what)
    if address.scheme == "tcp":
        with socket.create_connection((address.hostname or "", address.port or 0), TIMEOUT):
            return True
    if address.scheme != "http":
        raise ValueError(f"cannot ask {what!r}")
    with urllib.request.urlopen(what, timeout=TIMEOUT) as answer:  # noqa: S310 - http only, above
        return bool(answer.status == 200)


if __name__ == "__main__":
    try:
        sys.exit(0 if all(map(healthy, sys.argv[1:])) else 1)
    except (OSError, urllib.error.URLError) as error:
        sys.exit(f"not healthy: {error}")
