from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.errors import ProxyHeaderError
from proxy.wire.proxy_protocol import (
    HEADER_MAX,
    UNKNOWN,
    V1_MAX,
    V2_MAX,
    ProxyHeader,
    read_proxy_header,
)

MARK = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = b"\x20", b"\x21"
PORTS = b"\xdc\x04\x01\xbb"
FOUR = b"\xc0\x00\x02\x01\xc0\x00\x02\x63" + PORTS
SIX = IPv6Address("2001:db8::1").packed + IPv6Address("2001:db8::2").packed + PORTS
LONGEST = b"PROXY TCP6 %b %b 65535 65535\r\n" % ((b"ffff:" * 8)[:-1], (b"ffff:" * 8)[:-1])
TLV = b"\x03\x00\x04abcd"


def v2(command: bytes, family: int, block: bytes, length: int | None = None) -> bytes:
    """Write a header of version 2."""
    size = len(block) if length is None else length
    return MARK + command + bytes([family]) + size.to_bytes(2, "big") + block


GOOD: dict[str, tuple[bytes, str | None]] = {
    "v1 IPv4": (b"PROXY TCP4 192.0.2.1 192.0.2.99 56324 443\r\n", "192.0.2.1"),
    "v1 IPv4, widest": (
        b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
        "255.255.255.255",
    ),
    "v1 ports may be 0": (b"PROXY TCP4 192.0.2.1 192.0.2.99 0 0\r\n", "192.0.2.1"),
    "v1 IPv6": (b"PROXY TCP6 2001:DB8::1 2001:db8::2 56324 443\r\n", "2001:db8::1"),
    "v1 IPv6, widest": (LONGEST, ("ffff:" * 8)[:-1]),
    "v1 IPv4 in IPv6": (b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "192.0.2.1"),
    "v1 unknown": (b"PROXY UNKNOWN\r\n", UNKNOWN),
    "v1 unknown, with something": (b"PROXY UNKNOWN ffff::1 \0 what\never 65536\r\n", UNKNOWN),
    "v2 IPv4": (v2(PROXY, 0x11, FOUR), "192.0.2.1"),
    "v2 IPv6": (v2(PROXY, 0x21, SIX), "2001:db8::1"),
    "v2 IPv4 in IPv6": (
        v2(PROXY, 0x21, IPv6Address("::ffff:192.0.2.1").packed + bytes(16) + PORTS),
        "192.0.2.1",
    ),
    "v2 IPv4 with extensions": (v2(PROXY, 0x11, FOUR + TLV * 3), "192.0.2.1"),
    "v2 extensions to the limit": (
        v2(PROXY, 0x11, FOUR + b"\x04" * (V2_MAX - len(FOUR))),
        "192.0.2.1",
    ),
    "v2 Unix": (v2(PROXY, 0x31, b"/run/a".ljust(108, b"\0") * 2), UNKNOWN),
    "v2 unspecified": (v2(PROXY, 0x00, b""), UNKNOWN),
    "v2 unspecified with extensions": (v2(PROXY, 0x00, TLV), UNKNOWN),
    "v2 local": (v2(LOCAL, 0x00, b""), None),
    "v2 local, whatever it says": (v2(LOCAL, 0xFF, FOUR), None),
}

BAD: dict[str, bytes] = {
    "a request": b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "a TLS handshake": b"\x16\x03\x01\x02\x00\x01",
    "small letters": b"proxy TCP4 192.0.2.1 192.0.2.99 1 2\r\n",
    "v1 without blank": b"PROXYTCP4 192.0.2.1 192.0.2.99 1 2\r\n",
    "v1 two blanks": b"PROXY  TCP4 192.0.2.1 192.0.2.99 1 2\r\n",
    "v1 trailing blank": b"PROXY TCP4 192.0.2.1 192.0.2.99 1 2 \r\n",
    "v1 tab": b"PROXY TCP4\t192.0.2.1 192.0.2.99 1 2\r\n",
    "v1 datagrams": b"PROXY UDP4 192.0.2.1 192.0.2.99 1 2\r\n",
    "v1 unknown, run together": b"PROXY UNKNOWNS\r\n",
    "v1 nothing": b"PROXY \r\n",
    "v1 no ports": b"PROXY TCP4 192.0.2.1 192.0.2.99\r\n",
    "v1 one port": b"PROXY TCP4 192.0.2.1 192.0.2.99 1\r\n",
    "v1 port too high": b"PROXY TCP4 192.0.2.1 192.0.2.99 65536 2\r\n",
    "v1 second port too high": b"PROXY TCP4 192.0.2.1 192.0.2.99 1 99999\r\n",
    "v1 port with zeros": b"PROXY TCP4 192.0.2.1 192.0.2.99 01 2\r\n",
    "v1 port with sign": b"PROXY TCP4 192.0.2.1 192.0.2.99 +1 2\r\n",
    "v1 address with zeros": b"PROXY TCP4 192.0.2.01 192.0.2.99 1 2\r\n",
    "v1 address too high": b"PROXY TCP4 192.0.2.256 192.0.2.99 1 2\r\n",
    "v1 second address is none": b"PROXY TCP4 192.0.2.1 192.0.2 1 2\r\n",
    "v1 IPv6 for IPv4": b"PROXY TCP4 ::1 ::1 1 2\r\n",
    "v1 IPv4 for IPv6": b"PROXY TCP6 192.0.2.1 192.0.2.99 1 2\r\n",
    "v1 scope": b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
    "v1 brackets": b"PROXY TCP6 [::1] [::1] 1 2\r\n",
    "v1 only LF": b"PROXY TCP4 192.0.2.1 192.0.2.99 1 2\nGET / HTTP/1.1\r\n",
    "v1 too long": b"PROXY UNKNOWN " + b"x" * (V1_MAX - 14),
    "v1 too long, with its end": b"PROXY UNKNOWN " + b"x" * (V1_MAX - 15) + b"\r\n",
    "v2 broken mark": b"\r\n\r\n\0\r\nQUIT\r",
    "v2 version 1": v2(b"\x11", 0x11, FOUR),
    "v2 version 3": v2(b"\x31", 0x11, FOUR),
    "v2 command 2": v2(b"\x22", 0x11, FOUR),
    "v2 too long": v2(PROXY, 0x11, b"", V2_MAX + 1),
    "v2 local, too long": v2(LOCAL, 0x00, b"", 65_535),
    "v2 IPv4, too short": v2(PROXY, 0x11, b"", 11),
    "v2 IPv6, too short": v2(PROXY, 0x21, b"", 35),
    "v2 Unix, too short": v2(PROXY, 0x31, b"", 215),
    "v2 datagrams": v2(PROXY, 0x12, FOUR),
    "v2 datagrams, IPv6": v2(PROXY, 0x22, SIX),
    "v2 unknown family": v2(PROXY, 0x41, FOUR),
    "v2 family without transport": v2(PROXY, 0x10, FOUR),
}


@pytest.mark.parametrize("rest", [b"", b"GET / HTTP/1.1\r\n", b"\r\n", b"\x16\x03\x01"])
@pytest.mark.parametrize(("header", "source"), GOOD.values(), ids=GOOD)
def test_a_header_ends_where_the_stream_begins(
    header: bytes, source: str | None, rest: bytes
) -> None:
    """Its size is its own, whatever comes behind it."""
    assert read_proxy_header(header + rest) == ProxyHeader(len(header), source)


@pytest.mark.parametrize("header", [header for header, _ in GOOD.values()], ids=GOOD)
def test_a_header_in_pieces_is_waited_for(header: bytes) -> None:
    """Every beginning of a good header is incomplete, and none is refused."""
    assert all(read_proxy_header(header[:end]) is None for end in range(len(header)))
    assert len(header) <= HEADER_MAX


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_what_is_no_header_is_refused(data: bytes) -> None:
    """With words about what is wrong."""
    with pytest.raises(ProxyHeaderError, match=r"PROXY (header|line)"):
        read_proxy_header(data)


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_a_refusal_comes_early_or_with_the_end(data: bytes) -> None:
    """No beginning of a bad header is taken for a complete one."""
    for end in range(len(data)):
        try:
            assert read_proxy_header(data[:end]) is None
        except ProxyHeaderError:
            return


def test_a_stranger_is_refused_at_the_first_byte_that_differs() -> None:
    """It is not waited for what cannot become a header."""
    assert read_proxy_header(b"PRO") is None
    for data in (b"G", b"PROX ", b"\r\n\r\n\x01"):
        with pytest.raises(ProxyHeaderError):
            read_proxy_header(data)


@given(st.ip_addresses(v=4), st.ip_addresses(v=6), st.integers(0, 65_535), st.binary(max_size=40))
def test_every_address_comes_back_as_it_was_sent(
    four: IPv4Address, six: IPv6Address, port: int, rest: bytes
) -> None:
    """In either version, in its one spelling."""
    end = b" %d %d\r\n" % (port, port)
    ports = port.to_bytes(2, "big") * 2
    six_plain = str(six.ipv4_mapped or six)
    for header, expected in (
        (f"PROXY TCP4 {four} {four}".encode() + end, str(four)),
        (f"PROXY TCP6 {six} {six.exploded}".encode() + end, six_plain),
        (v2(PROXY, 0x11, four.packed * 2 + ports), str(four)),
        (v2(PROXY, 0x21, six.packed * 2 + ports + TLV), six_plain),
    ):
        assert read_proxy_header(header + rest) == ProxyHeader(len(header), expected)


@given(
    st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=120).map(b"PROXY TCP4 ".__add__),
        st.binary(max_size=300).map(MARK.__add__),
    )
)
def test_whatever_comes_is_read_waited_for_or_refused(data: bytes) -> None:
    """Nothing else is raised; what was read lies within the data and names an address or none."""
    try:
        header = read_proxy_header(data)
    except ProxyHeaderError:
        return
    if header is None:
        assert len(data) < HEADER_MAX
        return
    assert 0 < header.size <= len(data)
    if header.source not in (None, UNKNOWN):
        ipaddress.ip_address(header.source)
