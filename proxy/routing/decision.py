"""Which side serves, and why: kill switch, override, pin, rollback, cohort, weight, bucket."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from proxy.routing.side import Side


class Reason(StrEnum):
    """Why a side was chosen; stands in the access log and in `cutover explain`."""

    KILL_SWITCH = "kill_switch"
    OVERRIDE = "override"
    PIN = "pin"
    ROLLED_BACK = "rolled_back"
    COHORT = "cohort"
    WEIGHT = "weight"  # the weight is 0% or 100%, nobody's bucket matters
    BUCKET = "bucket"


class Decision:
    """The side that serves one request and the rule that said so; `bucket` where it was asked."""

    __slots__ = ("bucket", "reason", "side")

    def __init__(self, side: Side, reason: Reason, bucket: int | None = None) -> None:
        self.side: Final = side
        self.reason: Final = reason
        self.bucket: Final = bucket

    def __repr__(self) -> str:
        return f"Decision({self.side.value}, {self.reason.value}, {self.bucket})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Decision)
            and self.side is other.side
            and self.reason is other.reason
            and self.bucket == other.bucket
        )

    def __hash__(self) -> int:
        return hash((self.side, self.reason, self.bucket))


BUCKET: Final = Reason.BUCKET
"""By this name on the hot path, see `side`."""
