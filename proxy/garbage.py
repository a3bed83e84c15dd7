"""What Python's collector of circular garbage looks at, and how often: no long pauses."""

from __future__ import annotations

import gc
from typing import Final

YOUNG: Final = 10_000
"""New objects after which the collector looks at them. Hardly anything here refers to itself in a
circle. With the default of 700 the collector took a fifth of a worker's time in process when all
heads were new; with 50,000 a pause took up to 7 ms, with this 1 ms."""

OLDER: Final = (20, 100)
"""Looks at the young after which the middle generation has its turn, and so on."""


def settle(young: int = YOUNG) -> None:
    """Have the collector never look again at what there is now: it stays for ever.

    Before a fork it keeps memory shared, too, as a look writes to what it looks at.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(young, *OLDER)
