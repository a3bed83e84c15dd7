"""Where an exchange stands."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Stage(IntEnum):
    """Where an exchange stands."""

    BEGUN = 0
    LEASING = 1  # waits for a connection
    AWAITING = 2  # the request is on its way, no byte of the answer has gone to the client
    RELAYING = 3  # the answer's head has gone to the client
    TUNNELLING = 4  # both connections are the tunnel's
    ENDED = 5


# By these names on the hot path: the class of an enumeration is asked through `__getattr__`, which
# takes 660 instructions instead of a global's 58, and an exchange asks some twenty times.
BEGUN: Final = Stage.BEGUN
LEASING: Final = Stage.LEASING
AWAITING: Final = Stage.AWAITING
RELAYING: Final = Stage.RELAYING
TUNNELLING: Final = Stage.TUNNELLING
ENDED: Final = Stage.ENDED
