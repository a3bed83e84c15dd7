"""Which side serves, and why: kill switch, rollback, override, pin, bucket, in this order."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from proxy.routing.side import Side


class Reason(StrEnum):
    """Why a side was chosen; stands in the access log and in `cutover explain`."""

    KILL_SWITCH = "kill_switch"
    OVERRIDE = "override"
    PIN = "pin"
    ROLLED_BACK = "rolled_back"
    WEIGHT = "weight"  # the weight is 0% or 100%, nobody's bucket matters
    BUCKET = "bucket"


class Decision(NamedTuple):
    """The side that serves one request and the rule that said so; `bucket` where it was asked."""

    side: Side
    reason: Reason
    bucket: int | None = None


BUCKET: Final = Reason.BUCKET
"""By this name on the hot path, see `side`."""
