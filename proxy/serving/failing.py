"""Answers that are failures although their status is not 5xx, as a route declares in `fail_when`.

Only the counting changes: the client gets the answer as it is, and legacy is not asked instead,
because nobody can tell what the application has done before it said so.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import orjson

from proxy.routing.fail_when import FailRules
from proxy.serving.copying import Copy

if TYPE_CHECKING:
    from proxy.serving.exchange import Exchange
    from proxy.wire.message import ResponseHead

LOOKED_AT_MAX: Final = 64 * 1024
"""Bytes of JSON that are looked into, packed or not; a longer answer is judged by its status."""

_PACKED: Final = {b"gzip": 31, b"deflate": 15}


def begin_look(exchange: Exchange, response: ResponseHead) -> Copy | None:
    """Begin to keep an answer's body, if what it says decides whether it is a failure."""
    rules = exchange.route.rules.fail_when
    if not rules.bodies or not 200 <= response.status < 300 or response.length > LOOKED_AT_MAX:
        return None
    return Copy(exchange.plane.room)


def has_failed(rules: FailRules, status: int, response: ResponseHead, look: Copy | None) -> bool:
    """Whether a complete answer counts as a failure of the upstream."""
    if status in rules.statuses:
        return True
    if look is None:
        return False
    body = None if look.crowded_out else look.body()
    look.end()
    return body is not None and _says_so(rules, body, response.get(b"content-encoding"))


def _says_so(rules: FailRules, body: bytes, coding: bytes | None) -> bool:
    """Look into the JSON; what cannot be read is no failure by this rule."""
    if coding is not None and coding.lower() != b"identity":
        bits = _PACKED.get(coding.lower())
        if bits is None:
            return False
        try:
            body = zlib.decompressobj(bits).decompress(body, LOOKED_AT_MAX)
        except zlib.error:
            return False
    if len(body) > LOOKED_AT_MAX:
        return False
    try:
        return rules.by_body(orjson.loads(body))
    except orjson.JSONDecodeError:
        return False
