"""What a shadow worker is told: settings for its life, configuration for each rules version."""

from __future__ import annotations

import os
import secrets
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from shadow_compare.capture import Headers
from shadow_compare.read_back import ReadBack
from shadow_compare.rules import CompareRules
from shadow_compare.store.pruning import Retention

LEGACY: Final = "legacy"
MODERN: Final = "modern"
KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class ShadowSettings:
    """Limits of one worker, so that the experiment costs what it may cost and no more.

    Times are seconds, sizes bytes; `compare_seconds` are of the processor's time. `redaction_key`
    is for placeholders (see `key_at`), `write_key` for the marks of writes. Writes wait for their
    turn, at most `writes_max` of a route and `writes_bytes_max` in all; one whose worker is not
    heard of for `lost_write` is lost. At most `read_backs_max` are read back at once.
    `marks_reads` says that a repeated read tells so, `spares_refusing` that an instance which
    refuses connections is tried only now and then.
    """

    redaction_key: bytes = field(repr=False)
    write_key: bytes = field(repr=False, default=b"")
    writes_max: int = 100
    writes_bytes_max: int = 16 * 1024 * 1024
    lost_write: float = 60.0
    read_backs_max: int = 1_000
    marks_reads: bool = True
    spares_refusing: bool = True
    queue_max: int = 50_000
    queue_bytes_max: int = 64 * 1024 * 1024
    held_max: int = 128
    concurrency: int = 16
    body_max: int = 1024 * 1024
    connect_timeout: float = 2.0
    deadline: float = 15.0
    compare_seconds: float = 10.0
    capture_age_max: float = 30.0
    repeats_per_second: float = 10.0
    baselines_per_second: float = 10.0
    counts_interval: float = 0.2
    store_interval: float = 0.5
    evidence_interval: float = 5.0
    pending_max: int = 5_000
    pending_bytes_max: int = 64 * 1024 * 1024
    store_attempts: int = 60
    prune_interval: float = 600.0
    retention: Retention = field(default_factory=Retention)


@dataclass(frozen=True, slots=True)
class SideConfig:
    """Where one side listens, as base URLs; `host` replaces the client's Host when it is given.

    `tls` is for instances with https, which are verified for `server_name`, or else their host.
    """

    instances: tuple[str, ...]
    host: str | None = None
    tls: ssl.SSLContext | None = None
    server_name: str = ""


class Rewrite(Protocol):
    """What the proxy rewrites between clients and one side of a route. Equal when it does alike."""

    def request(self, target: str, headers: Headers) -> tuple[str, Headers]:
        """Give target and headers, Host among them, as this side is asked."""
        ...

    def answer(self, headers: Headers, host: str) -> Headers:
        """Give the headers of this side's answer as a client gets them that asked this host."""
        ...


@dataclass(frozen=True, slots=True)
class ShadowConfig:
    """Both sides by name (legacy, modern), and the compiled rules of each route by its id.

    `rewrites` is by route and side, without those where nothing is rewritten. `concurrency` is how
    many captures of a route are examined at once, for routes that say so, `together` the same of
    all; `legacy_rate` is requests a second to legacy. These are the part of one worker.
    `writes` has the routes whose writes are mirrored, each with the version in which that was begun
    or resumed: what was acknowledged, or not, before it no longer counts. `read_backs` is what is
    read after writes, by their route.
    """

    version: int
    sides: Mapping[str, SideConfig] = field(default_factory=dict)
    routes: Mapping[str, CompareRules] = field(default_factory=dict)
    rewrites: Mapping[tuple[str, str], Rewrite] = field(default_factory=dict)
    concurrency: Mapping[str, int] = field(default_factory=dict)
    together: int | None = None
    legacy_rate: float | None = None
    writes: Mapping[str, int] = field(default_factory=dict)
    read_backs: Mapping[str, ReadBack] = field(default_factory=dict)

    def rewritten_anew(self, before: ShadowConfig) -> frozenset[str]:
        """Give the routes on which something else is rewritten than before."""
        places = {*self.rewrites, *before.rewrites}
        return frozenset(
            route
            for route, side in places
            if self.rewrites.get((route, side)) != before.rewrites.get((route, side))
        )


def key_at(path: Path, make: Callable[[], bytes] = lambda: secrets.token_bytes(KEY_BYTES)) -> bytes:
    """Give the key kept in a file, made at the first call.

    All processes of one state directory share it: else one secret would get several placeholders,
    and a cookie signed by one would be a stranger's to the next.
    """
    try:
        return path.read_bytes()  # nothing is written at a later start: the disk may be full then
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 - only os.open takes the mode
        file.write(make())
    try:
        os.link(fresh, path)  # complete, or not at all; the second to come finds the first one's
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_bytes()
