"""Guessing slowed down: how often somebody may be wrong (pure)."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import Final

BURST: Final = 5
"""Wrong attempts of one address that are answered at once."""
REFILL: Final = 12.0
"""Seconds after which one more is."""
TOTAL: Final = 60
"""Attempts a minute of all addresses together: each costs the time of a slow hash."""
ADDRESSES_MAX: Final = 10_000


class Throttle:
    """Counts attempts as debts that fade; an address that owes too much is told to wait.

    An attempt is counted before it is made, so that many at once are as slow as one after another;
    one that was right is given back.
    """

    def __init__(self) -> None:
        self._until: OrderedDict[str, float] = OrderedDict()
        self._all = 0.0

    def wait(self, address: str, now: float) -> float:
        """Give the seconds until this address may try again; 0 when it may now, which counts."""
        key = _network(address)
        own = max(self._until.get(key, 0.0), now)
        everybody = max(self._all, now)
        late = max(own + REFILL - BURST * REFILL, everybody + 60.0 / TOTAL - 60.0) - now
        if late > 0:
            return late
        self._until[key] = own + REFILL
        self._until.move_to_end(key)
        self._all = everybody + 60.0 / TOTAL
        while len(self._until) > ADDRESSES_MAX:
            self._until.popitem(last=False)
        return 0.0

    def forgive(self, address: str) -> None:
        """Take back what an attempt has cost its address: it was right."""
        key = _network(address)
        if key in self._until:
            self._until[key] -= REFILL


def _network(address: str) -> str:
    """Give what counts as one address: of IPv6 a /64, as whoever has one has all of it."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
