"""Closed loop: wrk sends the next request of a connection when the last one is answered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """
local file = io.open("{requests}", "rb")
local requests, sizes = {{}}, {{}}
for size in file:read("*l"):gmatch("%d+") do sizes[#sizes + 1] = tonumber(size) end
for n, size in ipairs(sizes) do requests[n] = file:read(size) end
file:close()
local at, count = 0, #requests
request = function()
  at = at % count + 1
  return requests[at]
end
"""

SUMMARY = """
done = function(summary)
  local e = summary.errors
  io.write(string.format(
    '\\nSUMMARY {"requests": %d, "microseconds": %d, "bytes": %d, "failed": %d}\\n',
    summary.requests, summary.duration, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What wrk counted. `failed` are answers that are not 2xx or 3xx, and socket errors."""

    requests: int
    seconds: float
    failed: int


def write_script(folder: Path, requests: Sequence[bytes]) -> Path:
    """Write the requests, and the script that sends them in turn; give the script."""
    data, script = folder / "requests", folder / "wrk.lua"
    data.write_bytes(pack(requests))
    script.write_text(_SCRIPT.format(requests=data) + SUMMARY)
    return script


def pack(requests: Iterable[bytes]) -> bytes:
    """A line of sizes, then the requests one after the other."""
    given = list(requests)
    return " ".join(str(len(each)) for each in given).encode() + b"\n" + b"".join(given)


def unpack(data: bytes) -> list[bytes]:
    """Undo `pack`."""
    sizes, _, rest = data.partition(b"\n")
    found, at = [], 0
    for size in map(int, sizes.split()):
        found.append(rest[at : at + size])
        at += size
    return found


def command(script: Path, url: str, connections: int, seconds: float) -> list[str]:
    """One thread: there is one core for it on the smallest machine."""
    return [
        "wrk", "-t1", f"-c{connections}", f"-d{max(round(seconds), 1)}s", "--timeout", "20s",
        "-s", str(script), url,
    ]  # fmt: skip


def parse(said: str) -> Run:
    """Read the summary that the script wrote. Raises ValueError when there is none."""
    for line in said.splitlines():
        word, _, rest = line.partition(" ")
        if word == "SUMMARY":
            found = json.loads(rest)
            return Run(found["requests"], found["microseconds"] / 1e6, found["failed"])
    raise ValueError(f"wrk gave no summary, but said:\n{said[-1000:]}")
