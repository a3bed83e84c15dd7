"""An order to record traffic, as the API or a form asks for it (pure)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from proxy.admin.members import Members, Trouble
from proxy.admin.problems import ProblemError, no_route
from proxy.recording import (
    BYTES_MOST,
    BYTES_USUAL,
    SECONDS_MOST,
    SECONDS_USUAL,
    Recording,
)
from proxy.routing.rules import WEIGHT_MAX


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be recorded; no routes are all of them, the share is in hundredths of a percent.

    `seconds` and `size` (bytes) are the most that it may take.
    """

    author: str
    reason: str
    routes: tuple[str, ...] = ()
    share: int = WEIGHT_MAX
    seconds: int = SECONDS_USUAL
    size: int = BYTES_USUAL


def read_order(body: bytes) -> Wanted:
    """Read `{"reason": …, "author"?, "routes"?: [], "share"?: "10%", "seconds"?, "bytes"?}`."""
    with Members(body, ("reason", "author", "routes", "share", "seconds", "bytes")) as members:
        share = members.weight("share")
        if share == 0:
            members.troubles.append(Trouble("share", "is 0%", "Write more, or start nothing."))
        return Wanted(
            author=members.author(),
            reason=members.reason(),
            routes=members.texts("routes"),
            share=WEIGHT_MAX if share is None else share,
            seconds=members.number("seconds", SECONDS_USUAL, 1, SECONDS_MOST),
            size=members.number("bytes", BYTES_USUAL, 1, BYTES_MOST),
        )


def order_of(wanted: Wanted, known: Collection[str], now: float) -> Recording:
    """Give the order that begins now; raises ProblemError for a route that there is not."""
    for name in wanted.routes:
        if name not in known:
            raise ProblemError(no_route(name, known))
    return Recording.begun(
        now, now + wanted.seconds, wanted.routes, wanted.share / WEIGHT_MAX, wanted.size,
        wanted.author, wanted.reason,
    )  # fmt: skip
