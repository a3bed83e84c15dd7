"""How slow a client may be with a body: what it sends earns it time.

A deadline that every byte renews lets a client hold an upstream's connection for ever with a byte
now and then. So a byte renews it by no more than its share, and never beyond the longest silence
that is borne: whatever came before, from then on the average must be kept.
"""

from __future__ import annotations

from typing import Final

RATE_MIN: Final = 500
"""Octets per second that a client must bring on average, or read of a last answer."""

BODY_GRACE: Final = 5.0
"""Seconds for the first octets of a body, once it may come."""

CONTINUE_AFTER: Final = 1.0
"""Seconds after which a client that waits for a 100 gets ours: many applications never send one."""


def renewed(deadline: float, now: float, octets: int, silence: float) -> float:
    """Give the deadline for the next octets, when so many have come (all times in seconds)."""
    return min(deadline + octets / RATE_MIN, now + silence)
