"""Who may choose the side: `Cutover-Side` from a trusted peer, or with a token that we have signed.

    Cutover-Side: modern
    Cutover-Side: modern; token=1893456000.0f1e…
    Cutover-Side: modern; route=plans; token=1893456000.77aa…

A token holds for one side, until a moment in seconds of the epoch, and on one route or on all. It
is `EXPIRY.SIGNATURE`; the signature is HMAC-SHA256 over a label, the side, the route and the
expiry, each on its line, in hexadecimal. Whoever has it may use it until then: it names nobody.
"""

from __future__ import annotations

import re
from enum import StrEnum
from hmac import compare_digest, digest
from typing import Final

from proxy.routing.side import Side

FIELD: Final = b"cutover-side"

LIFE_MAX: Final = 30 * 86_400
"""Seconds that a token may live: what is to hold for longer belongs into the rules, as a pin."""


_VALUE: Final = re.compile(
    rb"(legacy|modern)(?:; *route=([A-Za-z0-9_.\-]{1,100}))?"
    rb"(?:; *token=([1-9][0-9]{0,11})\.([0-9a-f]{64}))?"
)


class Refusal(StrEnum):
    """Why a field counts for nothing, as metrics and `cutover explain` say it."""

    MALFORMED = "malformed"
    UNSIGNED = "unsigned"
    FORGED = "forged"
    EXPIRED = "expired"
    OTHER_ROUTE = "other_route"


def write_override(key: bytes, side: Side, expires: int, route: str = "") -> str:
    """Write the value of a signed field; `expires` in seconds of the epoch, no route means all."""
    limit = f"; route={route}" if route else ""
    return f"{side.value}{limit}; token={expires}.{_sign(key, side.value, route, str(expires))}"


def read_override(
    value: bytes, *, key: bytes, route: str, now: float, trusted: bool
) -> Side | Refusal:
    """Give the side that a request asks for and may ask for, or why it may not.

    A trusted peer needs no token; one that it brings must be valid all the same, so that a test
    from within tells what a client outside would see. Without a key no token is valid. `now` in
    seconds of the epoch.
    """
    found = _VALUE.fullmatch(value)
    if found is None:
        return Refusal.MALFORMED
    side, limit, expires, signature = (part.decode() if part else "" for part in found.groups())
    if not signature:
        return Side(side) if trusted and not limit else Refusal.UNSIGNED
    # First the signature: an answer about a forged token would tell what a good one looks like.
    if not key or not compare_digest(signature, _sign(key, side, limit, expires)):
        return Refusal.FORGED
    if now >= int(expires):
        return Refusal.EXPIRED
    return Side(side) if limit in ("", route) else Refusal.OTHER_ROUTE


def _sign(key: bytes, side: str, route: str, expires: str) -> str:
    # The parts hold no line ends: two tokens that say different things sign different bytes.
    signed = "\n".join(("cutover-side", side, route, expires))
    return digest(key, signed.encode(), "sha256").hex()
