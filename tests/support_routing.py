"""Rules documents and requests for tests of routing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proxy.routing.rules import Rules
from proxy.routing.schema import rules_from_plain
from proxy.wire.fields import Field, Role
from proxy.wire.message import FieldBlock, RequestHead
from proxy.wire.target import RequestLine

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


def request(**fields: str | bytes) -> RequestHead:
    """Give a request's head as far as identities need it: fields by lower-case name."""
    read = [
        Field(name.replace("_", "-").encode(), value, b"", Role.FORWARD)
        for name, text in fields.items()
        for value in [text.encode() if isinstance(text, str) else text]
    ]
    line = RequestLine("GET", "/", b"/", 1)
    return RequestHead(line, FieldBlock(read, frozenset(), b""), 0)
