"""Series for pages, read once for all who look at the same within some seconds."""

from __future__ import annotations

from typing import Final

from proxy.admin.console.reading import read
from proxy.admin.interfaces import Controller
from proxy.admin.series import Range, Series, read_series

FRESH: Final = 10.0
"""Seconds for which what was read is shown again: minutes are kept once a minute."""

REMEMBERED: Final = 64
"""Series remembered at a time."""


class Past:
    """Reads and remembers; None for what cannot be read now."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._kept: dict[tuple[str, str, int], Series] = {}

    async def series(self, wanted: Range, now: float, route: str = "") -> Series | None:
        """Give a route's series, or that of all traffic, until now. Decisions make it anew."""
        version = self._controller.brief().version
        key = (route, wanted.name, version)
        kept = self._kept.get(key)
        if kept is not None and 0 <= now - kept.until < FRESH:
            return kept
        found = await read(read_series(self._controller, wanted, now, route))
        if found is not None:
            self._kept.pop(key, None)
            self._kept[key] = found
            while len(self._kept) > REMEMBERED:
                del self._kept[next(iter(self._kept))]
        return found
