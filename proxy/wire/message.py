"""Message heads as values."""

from __future__ import annotations

from proxy.wire.fields import Field


class RequestHead:
    """A request understood.

    `length` is the body's framing, `host` the one authority, `keep_alive` what the client wants.
    `fields` are without those that the Connection field nominated: they end at the next hop.
    """

    __slots__ = (
        "expects_continue",
        "fields",
        "host",
        "keep_alive",
        "length",
        "method",
        "minor",
        "path",
        "target",
    )

    def __init__(
        self,
        method: str,
        path: str,
        target: bytes,
        minor: int,
        fields: list[Field],
        host: bytes,
        length: int,
        keep_alive: bool,
        expects_continue: bool,
    ) -> None:
        self.method = method
        self.path = path
        self.target = target
        self.minor = minor
        self.fields = fields
        self.host = host
        self.length = length
        self.keep_alive = keep_alive
        self.expects_continue = expects_continue

    def get(self, name: bytes) -> bytes | None:
        """Give the value of the first field of this lower-case name, or None."""
        for field in self.fields:
            if field.name == name:
                return field.value
        return None


class ResponseHead:
    """An answer understood. `length` is its body's framing, `keep_alive` what the upstream offers.

    `declared` is the Content-Length it carried, which HEAD and 304 keep although no body follows.
    """

    __slots__ = (
        "declared",
        "fields",
        "idle_hint",
        "keep_alive",
        "length",
        "minor",
        "reason",
        "status",
    )

    def __init__(
        self,
        status: int,
        reason: bytes,
        minor: int,
        fields: list[Field],
        length: int,
        declared: bytes | None,
        keep_alive: bool,
        idle_hint: float | None,
    ) -> None:
        self.status = status
        self.reason = reason
        self.minor = minor
        self.fields = fields
        self.length = length
        self.declared = declared
        self.keep_alive = keep_alive
        self.idle_hint = idle_hint

    def get(self, name: bytes) -> bytes | None:
        """Give the value of the first field of this lower-case name, or None."""
        for field in self.fields:
            if field.name == name:
                return field.value
        return None
