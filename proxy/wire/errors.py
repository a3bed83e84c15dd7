"""What a peer did wrong, by whose fault, with the status that says so."""

from __future__ import annotations


class WireError(Exception):
    """A peer broke the protocol; the connection cannot be used any further."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RequestError(WireError):
    """The client's request is refused with `status`, and its connection is closed."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class ResponseError(WireError):
    """The upstream's answer is not HTTP as we accept it; the client is told 502."""


class ProxyHeaderError(WireError):
    """A connection that must begin with a PROXY header does not; it is closed without an answer."""
