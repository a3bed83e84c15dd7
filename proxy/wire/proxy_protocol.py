"""The PROXY protocol: what a load balancer says of its client, before the client's own first byte.

Both versions of HAProxy's specification (`proxy-protocol.txt`, 2.1 and 2.2), read by one strict
grammar. Which of them comes shows in the first byte; a stream that begins with neither is refused
at the first byte that differs, for nobody may guess whether a header was meant.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from proxy.wire.errors import ProxyHeaderError

V1_MAX: Final = 107
"""Bytes of a header of version 1, its CR LF included (2.1)."""

V2_MAX: Final = 4096
"""Bytes of addresses and extensions (TLVs) in version 2; 65,535 could be announced (2.2)."""

HEADER_MAX: Final = 16 + V2_MAX

UNKNOWN: Final = "unknown"
"""Stands for an address that the sender does not know or cannot say (RFC 7239, 6.2)."""

_V1_MARK: Final = b"PROXY "
_V2_MARK: Final = b"\r\n\r\n\0\r\nQUIT\n"

_PORT: Final = rb"(0|[1-9][0-9]{0,4})"
_V1: Final = re.compile(
    rb"PROXY (?:(TCP4|TCP6) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) %b %b|UNKNOWN(?: .*)?)"
    % (_PORT, _PORT),
    re.DOTALL,
)

_LOCAL: Final = 0x20
_PROXY: Final = 0x21
_UNSPECIFIED: Final = 0x00
_TCP4: Final = 0x11
_TCP6: Final = 0x21
_UNIX: Final = 0x31
_V2_ADDRESSES: Final = {_UNSPECIFIED: 0, _TCP4: 12, _TCP6: 36, _UNIX: 216}
"""Bytes of the two addresses of each family; datagrams are not among them: we serve streams."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """A header of `size` bytes. `source` is the client's address, or `UNKNOWN`.

    None as the source means that the sender speaks for itself: a health check (LOCAL, 2.2).
    """

    size: int
    source: str | None


def read_proxy_header(data: bytes) -> ProxyHeader | None:
    """Read the header that a connection must begin with; None while it is not complete.

    Raises ProxyHeaderError as soon as it cannot become one.
    """
    if data[:12] == _V2_MARK[: len(data)]:
        return _read_v2(data)
    if data[:6] == _V1_MARK[: len(data)]:
        return _read_v1(data)
    raise ProxyHeaderError("the connection does not begin with a PROXY header")


def _read_v1(data: bytes) -> ProxyHeader | None:
    end = data.find(b"\r\n", 0, V1_MAX)
    if end < 0:
        if len(data) >= V1_MAX:
            raise ProxyHeaderError("the PROXY line is too long")
        return None
    found = _V1.fullmatch(data, 0, end)
    if found is None:
        raise ProxyHeaderError("the PROXY line is malformed")
    family, source, target, *ports = found.groups()
    if family is None:
        return ProxyHeader(end + 2, UNKNOWN)
    if any(int(port) > 65_535 for port in ports):
        raise ProxyHeaderError("the PROXY line has a port above 65535")
    _read_address(family, target)
    return ProxyHeader(end + 2, _read_address(family, source))


def _read_address(family: bytes, text: bytes) -> str:
    kind = ipaddress.IPv4Address if family == b"TCP4" else ipaddress.IPv6Address
    try:
        return _plain(kind(text.decode("ascii")))
    except ValueError as error:
        raise ProxyHeaderError("the PROXY line has an address that is none") from error


def _read_v2(data: bytes) -> ProxyHeader | None:
    if len(data) < 16:
        return None
    command, family, length = data[12], data[13], int.from_bytes(data[14:16], "big")
    if command not in (_LOCAL, _PROXY):
        raise ProxyHeaderError("the PROXY header has an unknown version or command")
    if length > V2_MAX:
        raise ProxyHeaderError("the PROXY header is too long")
    if command == _PROXY and length < _V2_ADDRESSES.get(family, V2_MAX + 1):
        raise ProxyHeaderError("the PROXY header has an unknown family, or is too short for it")
    size = 16 + length
    if len(data) < size:
        return None
    # What LOCAL says about addresses must be ignored; extensions tell nothing that is needed.
    return ProxyHeader(size, None if command == _LOCAL else _source(family, data))


def _source(family: int, data: bytes) -> str:
    if family == _TCP4:
        return str(ipaddress.IPv4Address(data[16:20]))
    if family == _TCP6:
        return _plain(ipaddress.IPv6Address(data[16:32]))
    return UNKNOWN


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """One spelling for one client: an IPv4 address in IPv6 clothes is the IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
