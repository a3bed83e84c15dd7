"""What an event is, and when telling it is tried again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=6)


class EventKind(StrEnum):
    """What has happened."""

    PAYMENT_SUCCEEDED = "payment.succeeded"
    PAYMENT_FAILED = "payment.failed"
    REFUND_SUCCEEDED = "refund.succeeded"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened and is to be told; `tries` counts how often that has failed."""

    id: int
    kind: EventKind
    payload: Mapping[str, Any]
    happened_at: datetime
    tries: int


def next_try(tries: int, now: datetime) -> datetime:
    """Return when to try again after so many failures: twice as long each time, to 6 hours."""
    return now + min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(tries, 20)))
