"""What can happen to several hosts: each fault has a beginning and an end.

Most strike a host, and are the more interesting when that is the one that acts.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from deploy.stack.server import Server
from tests.support_hosts.host import Host
from tests.support_hosts.servers import POSTGRES, REDIS, signal_to
from tests.support_hosts.site import Site


class Kind(Enum):
    """What happens."""

    KILL_CONTROLLER = "the controller is killed"
    PAUSE_CONTROLLER = "the controller is paused"
    KILL_WORKER = "a worker is killed"
    PAUSE_HOST = "every process is paused"
    CRASH = "every process is killed"
    POWER = "the power fails"
    UNPLUG = "the cable is pulled"
    CUT_REDIS = "Redis is out of reach"
    CUT_POSTGRES = "PostgreSQL is out of reach"
    CUT_BOTH = "Redis and PostgreSQL are out of reach"
    DEAF_TO_REDIS = "answers of Redis get lost"
    DEAF_TO_POSTGRES = "answers of PostgreSQL get lost"
    REDIS_RESTARTS = "Redis is killed, and remembers"
    REDIS_FORGETS = "Redis is killed, and has forgotten everything"
    REDIS_HANGS = "Redis stands still"
    POSTGRES_RESTARTS = "PostgreSQL is killed"
    POSTGRES_HANGS = "PostgreSQL stands still"
    BLACKOUT = "every process of every host is killed"
    MODERN_FAILS = "modern fails"


FOR_ALL: Final = (
    Kind.REDIS_RESTARTS,
    Kind.REDIS_FORGETS,
    Kind.REDIS_HANGS,
    Kind.POSTGRES_RESTARTS,
    Kind.POSTGRES_HANGS,
    Kind.BLACKOUT,
    Kind.MODERN_FAILS,
)
"""Those that strike no single host."""

UNSEATS: Final = (
    Kind.PAUSE_CONTROLLER,
    Kind.PAUSE_HOST,
    Kind.CRASH,
    Kind.POWER,
    Kind.UNPLUG,
    Kind.CUT_POSTGRES,
    Kind.CUT_BOTH,
    Kind.DEAF_TO_POSTGRES,
)
"""Those after which another host has to act, if they strike the one that does."""

AT_ONCE: Final = (Kind.KILL_CONTROLLER, Kind.KILL_WORKER)
"""Those that are mended by the host itself, and have no end."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that happens; `host` is empty for what strikes no single one."""

    kind: Kind
    host: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value} on {self.host}" if self.host else self.kind.value


def begin(site: Site, fault: Fault) -> None:
    """Have it happen."""
    _COURSE[fault.kind][0](site, fault.host)


def end(site: Site, fault: Fault) -> None:
    """Have it over; what was killed is started again."""
    _COURSE[fault.kind][1](site, fault.host)


Doing = Callable[[Site, str], None]

DYING: Final = 1.0
"""Seconds in which a killed process may still take a request with it."""


def _to_host(excuse: str, do: Callable[[Host], None], seconds: float = float("inf")) -> Doing:
    """Do something to a host of which its clients may notice something, if there is an excuse."""

    def doing(site: Site, host: str) -> None:
        if excuse:
            site.excuse(host, excuse, seconds)
        do(site.hosts[host])

    return doing


def _unplug(site: Site, host: str) -> None:
    site.excuse(host, "applications are out of its reach")
    site.lan.unplug(host)


def _plug_in(site: Site, host: str) -> None:
    site.lan.plug_in(host)


def _power_off(site: Site, host: str) -> None:
    _unplug(site, host)
    site.hosts[host].crash()


def _power_on(site: Site, host: str) -> None:
    _plug_in(site, host)
    site.hosts[host].launch()


def _cut(*services: str) -> tuple[Doing, Doing]:
    def cut(site: Site, host: str) -> None:
        for service in services:
            site.lan.cut(host, service)

    return cut, _heal(*services)


def _deafen(service: str) -> tuple[Doing, Doing]:
    def deafen(site: Site, host: str) -> None:
        site.lan.deafen(host, service)

    return deafen, _heal(service)


def _heal(*services: str) -> Doing:
    def heal(site: Site, host: str) -> None:
        for service in services:
            site.lan.heal(host, service)

    return heal


def _kill_redis(site: Site, _: str) -> None:
    site.redis.kill()


def _kill_redis_for_good(site: Site, _: str) -> None:
    site.redis.kill()
    site.redis.forget()


def _start_redis(site: Site, _: str) -> None:
    site.redis.begin()


def _kill_postgres(site: Site, _: str) -> None:
    site.postgres.kill()


def _start_postgres(site: Site, _: str) -> None:
    site.postgres.begin()


def _hang(of: Callable[[Site], Server]) -> tuple[Doing, Doing]:
    def hang(site: Site, _: str) -> None:
        signal_to(of(site), signal.SIGSTOP)

    def go_on(site: Site, _: str) -> None:
        signal_to(of(site), signal.SIGCONT)

    return hang, go_on


def _all_down(site: Site, _: str) -> None:
    for name in site.names:
        site.excuse(name, "it is down")
        site.hosts[name].crash()


def _all_up(site: Site, _: str) -> None:
    for name in site.names:
        site.hosts[name].launch()


def _modern_fails(share: float) -> Doing:
    def fail(site: Site, _: str) -> None:
        site.modern.failing = share

    return fail


def _nothing(_: Site, __: str) -> None:
    """Who is killed is started again by its supervisor."""


_COURSE: Final[dict[Kind, tuple[Doing, Doing]]] = {
    Kind.KILL_CONTROLLER: (_to_host("", lambda host: host.kill("controller")), _nothing),
    Kind.PAUSE_CONTROLLER: (
        _to_host("", lambda host: host.pause("controller")),
        _to_host("", lambda host: host.wake("all")),
    ),
    Kind.KILL_WORKER: (
        _to_host("a worker is killed", lambda host: host.kill_one_worker(), DYING),
        _nothing,
    ),
    Kind.PAUSE_HOST: (
        _to_host("it stands still", lambda host: host.pause("all")),
        _to_host("", lambda host: host.wake("all")),
    ),
    Kind.CRASH: (
        _to_host("it is down", lambda host: host.crash()),
        _to_host("", lambda host: host.launch()),
    ),
    Kind.POWER: (_power_off, _power_on),
    Kind.UNPLUG: (_unplug, _plug_in),
    Kind.CUT_REDIS: _cut(REDIS),
    Kind.CUT_POSTGRES: _cut(POSTGRES),
    Kind.CUT_BOTH: _cut(REDIS, POSTGRES),
    Kind.DEAF_TO_REDIS: _deafen(REDIS),
    Kind.DEAF_TO_POSTGRES: _deafen(POSTGRES),
    Kind.REDIS_RESTARTS: (_kill_redis, _start_redis),
    Kind.REDIS_FORGETS: (_kill_redis_for_good, _start_redis),
    Kind.REDIS_HANGS: _hang(lambda site: site.redis),
    Kind.POSTGRES_HANGS: _hang(lambda site: site.postgres),
    Kind.BLACKOUT: (_all_down, _all_up),
    Kind.POSTGRES_RESTARTS: (_kill_postgres, _start_postgres),
    Kind.MODERN_FAILS: (_modern_fails(1.0), _modern_fails(0.0)),
}
