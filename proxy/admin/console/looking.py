"""What somebody looks for among the differences, as an address says it, and the address of more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from shadow_compare.report import KINDS, SEARCH_MAX, Cursor, Filters, SignatureSummary, State

PAGE = 50
ALL = "all"
_EXPORTED = 100
_DIGITS_MAX = 15


@dataclass(frozen=True, slots=True)
class Looking:
    """Filters, and after which group to go on. Open groups are what is looked for mostly.

    Whatever an address has that says nothing counts as not given: a mangled link shows something.
    """

    filters: Filters
    after: Cursor | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Looking:
        """Read a query."""
        state, kind = query.get("state"), query.get("kind")
        filters = Filters(
            route=query.get("route") or None,
            state=None if state == ALL else state if state in set(State) else State.OPEN,
            kind=kind if kind in KINDS else None,
            critical=True if query.get("critical") == "1" else None,
            since_version=number(query.get("since_version")),
            search=" ".join(query.get("search", "")[:SEARCH_MAX].split()),
        )
        return cls(filters, Cursor.read(query.get("after", "")))

    @property
    def state(self) -> str:
        """The state that is looked for, or `all`."""
        return self.filters.state or ALL

    @property
    def is_narrow(self) -> bool:
        """Whether more than the state is asked for, so that an empty list says little."""
        return replace(self.filters, state=None, route=None) != Filters()

    @property
    def address(self) -> str:
        """The address of the page itself."""
        return self._at("/differences", self.after)

    @property
    def first(self) -> str:
        """The address of the first groups that pass the filters."""
        return self._at("/differences", None)

    @property
    def decide(self) -> str:
        """Where a decision about some of these groups is sent to."""
        return self._at("/differences/decide", self.after)

    def further(self, last: SignatureSummary) -> str:
        """The address of the groups after this one."""
        return self._at("/differences", Cursor(last.critical, last.count, last.id))

    def export(self, form: str) -> str:
        """The address of these groups as a file, all of them as far as one file goes."""
        given = self._given | {"as": form, "limit": _EXPORTED, "state": self.filters.state}
        given["critical"] = "true" if self.filters.critical else None
        return _address("/api/v1/differences/export", given)

    def _at(self, path: str, after: Cursor | None) -> str:
        return _address(path, self._given | {"after": after})

    @property
    def _given(self) -> dict[str, Any]:
        filters = self.filters
        return {
            "search": filters.search,
            "route": filters.route,
            "kind": filters.kind,
            "state": None if filters.state == State.OPEN else self.state,
            "since_version": filters.since_version,
            "critical": "1" if filters.critical else None,
        }


def _address(path: str, given: dict[str, Any]) -> str:
    query = urlencode({name: value for name, value in given.items() if value not in (None, "")})
    return f"{path}?{query}" if query else path


def number(text: str | None) -> int | None:
    """Read a number from an address; anything else counts as not given."""
    is_number = text is not None and text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX
    return int(text) if text is not None and is_number else None
