"""Rules documents and requests for tests of routing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proxy.routing.rules import Rules
from proxy.routing.schema import rules_from_plain

HEAD = """\
version: 1
upstreams:
  legacy: {instances: ["http://legacy.test:81"]}
  modern: {instances: ["http://modern.test:82"]}
"""
"""The first four lines of a valid file; what is under test begins at line 5."""

ROUTES = "routes: [{id: all, match: {path: /*}}]\n"


def plain(*routes: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    """Give the plain values of a valid document with these routes."""
    return {
        "version": 1,
        "upstreams": {
            "legacy": {"instances": ["http://legacy.test:81"]},
            "modern": {"instances": ["http://modern.test:82"]},
        },
        "routes": list(routes) or [{"id": "all", "match": {"path": "/*"}}],
        **others,
    }


def rules(*routes: Mapping[str, Any], **others: Any) -> Rules:
    """Give the rules of such a document."""
    return rules_from_plain(plain(*routes, **others))


def route(path: str = "/*", name: str = "all", **others: Any) -> dict[str, Any]:
    """Give one route; `method` goes to its match."""
    match: dict[str, Any] = {"path": path}
    if "method" in others:
        match["method"] = others.pop("method")
    return {"id": name, "match": match, **others}


class Fields:
    """A request as far as identities need it: fields by lower-case name."""

    def __init__(self, **fields: str | bytes) -> None:
        self._fields = {
            name.replace("_", "-").encode(): value.encode() if isinstance(value, str) else value
            for name, value in fields.items()
        }

    def get(self, name: bytes) -> bytes | None:
        """Give the value of the first field of this lower-case name, or None."""
        return self._fields.get(name)
