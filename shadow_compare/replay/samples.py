"""What `cutover diffs export --json` has written: the requests of stored samples (pure).

Their secrets were redacted when they were stored; name them anew with `--header`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import orjson

from shadow_compare.replay.recorded import Item, Unreadable, request
from shadow_compare.report.export.request import request_of

FILE_MAX: Final = 256 * 1024 * 1024


def read_chunks(chunks: Iterable[bytes]) -> Iterator[Item]:
    """Read a file; unlike others it is held as a whole, and bounded by what is ever exported."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        if len(held) > FILE_MAX:
            yield Unreadable(0, f"is larger than {FILE_MAX} bytes")
            return
    try:
        groups = orjson.loads(bytes(held))["differences"]
        commands = [str(sample["curl"]) for group in groups for sample in group["samples"]]
    except (ValueError, LookupError, TypeError):
        yield Unreadable(0, "is no file of exported differences")
        return
    for place, command in enumerate(commands, start=1):
        try:
            found = request_of(command)
        except ValueError:
            yield Unreadable(place, "is no command that was exported")
            continue
        target = found.target.replace("[redacted ", "[redacted%20")  # which no request line has
        headers = (("host", found.host), *found.headers) if found.host else found.headers
        yield request(place, found.method, target, headers, found.body.encode())
