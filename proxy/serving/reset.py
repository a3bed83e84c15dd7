"""Breaking a connection visibly: a plain close can pass for the end of something complete."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time


def reset(transport: asyncio.Transport) -> None:
    """Close at once, by a reset; what waits to be sent is thrown away.

    Its protocol must not have heard of its loss yet: the descriptor may be another's by then.
    """
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
