"""What one comparison may cost: bytes before they are parsed, nodes and time while they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from shadow_compare.json_value import DEPTH_MAX
from shadow_compare.normalize import NotComparableError

BYTES_MAX: Final = 16 * 1024 * 1024
"""Bytes of one body without its content encoding."""
PARTS_MAX: Final = 2_000_000
"""Commas and brackets of one body, which are no fewer than its nodes.

A node takes 20 to 120 bytes when it is parsed, so that no body takes more than 240 MB.
"""
PIECES_MAX: Final = 1_000_000
"""Tags of a page or document, lines of a text, cells of rows; each takes 100 to 300 bytes."""
NODES_MAX: Final = 6_000_000
"""Nodes looked at; one is looked at again for each array around it that is paired by content."""

_NEVER_MANY: Final = 64 * 1024
"""Bytes in which there is no room for parts that would be worth counting."""
_NODES_BETWEEN_LOOKS: Final = 8_192
"""A look at the clock takes as long as ten nodes; so many nodes take about 10 ms."""


class Budget:
    """Counts what a comparison spends; `is_over` says whether its time is up.

    `bytes_max` is for each of the two decoded bodies.
    """

    __slots__ = ("_bytes_max", "_is_over", "_next_look", "nodes")

    def __init__(
        self,
        nodes: int = NODES_MAX,
        is_over: Callable[[], bool] | None = None,
        bytes_max: int = BYTES_MAX,
    ) -> None:
        self.nodes = nodes
        self._bytes_max = bytes_max
        self._is_over = is_over
        self._next_look = max(0, nodes - _NODES_BETWEEN_LOOKS)

    def spend(self, nodes: int) -> None:
        """Take nodes; raises NotComparableError: too_big, too_slow."""
        self.nodes -= nodes
        if self.nodes < self._next_look:
            self._look()

    def check_size(self, body: bytes) -> None:
        """Refuse what would take too much memory when it is parsed.

        Raises NotComparableError (too_big). Commas inside texts count as well: one in eight bytes
        of the largest body is allowed.
        """
        if len(body) > self._bytes_max:
            raise NotComparableError("too_big")
        if len(body) > _NEVER_MANY:
            parts = body.count(b",") + body.count(b"[") + body.count(b"{")
            if parts > PARTS_MAX:
                raise NotComparableError("too_big")

    def _look(self) -> None:
        if self.nodes < 0:
            raise NotComparableError("too_big")
        self._next_look = max(0, self.nodes - _NODES_BETWEEN_LOOKS)
        if self._is_over is not None and self._is_over():
            raise NotComparableError("too_slow")


def check_pieces(body: bytes, *marks: bytes) -> None:
    """Refuse a body with so many of the marks by which its format is divided.

    Raises NotComparableError (too_big).
    """
    if sum(map(body.count, marks)) > PIECES_MAX:
        raise NotComparableError("too_big")


def check_depth(depth: int) -> None:
    """Refuse what recursion must not follow; raises NotComparableError (too_deep)."""
    if depth > DEPTH_MAX:
        raise NotComparableError("too_deep")
