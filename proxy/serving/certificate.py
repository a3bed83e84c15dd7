"""What a certificate says of itself: the names it is for, and when it ends (RFC 5280, 4.1).

The ssl module tells this of a peer's certificate only. Whoever calls this has had OpenSSL load the
certificate, so that what is read here is well-formed; what is not raises ValueError all the same.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_SEQUENCE: Final = 0x30
_OBJECT_IDENTIFIER: Final = 0x06
_OCTET_STRING: Final = 0x04
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_VERSION: Final = 0xA0
_EXTENSIONS: Final = 0xA3
_DNS_NAME: Final = 0x82
_SUBJECT_ALT_NAME: Final = bytes((0x55, 0x1D, 0x11))  # 2.5.29.17

_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"

Element = tuple[int, bytes]
"""One value of DER: its tag and its content."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Host names in small letters, `*.` allowed; the end of validity in seconds of the epoch."""

    names: tuple[str, ...]
    not_after: float


def read_chain(pem: str) -> Statement:
    """Read the first certificate of a PEM chain, which is the server's; raises ValueError."""
    start = pem.find(_BEGIN)
    end = pem.find(_END, start)
    if start < 0 or end < 0:
        raise ValueError("it holds no certificate")
    return read_certificate(ssl.PEM_cert_to_DER_cert(pem[start : end + len(_END)]))


def read_certificate(der: bytes) -> Statement:
    """Read a certificate; raises ValueError when it is none."""
    signed = list(_elements(_only(_only(der))))
    if signed and signed[0][0] == _VERSION:
        del signed[0]
    if len(signed) < 6:
        raise ValueError("a certificate has more parts than this")
    # serial number, signature, issuer, validity, subject, public key
    _, end = (_moment(element) for element in _elements(signed[3][1]))
    return Statement(tuple(_names(signed[6:])), end)


def _names(optional: list[Element]) -> Iterator[str]:
    """Give the host names of the extension subjectAltName (4.2.1.6)."""
    for tag, content in optional:
        if tag != _EXTENSIONS:
            continue
        for _, extension in _elements(_only(content)):
            parts = dict(_elements(extension))
            if parts.get(_OBJECT_IDENTIFIER) == _SUBJECT_ALT_NAME:
                for kind, name in _elements(_only(parts.get(_OCTET_STRING, b""))):
                    if kind == _DNS_NAME:
                        yield name.decode("ascii").lower()


def _moment(element: Element) -> float:
    """Read a time; years of two digits are those from 1950 to 2049 (4.1.2.5.1)."""
    tag, content = element
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("the validity of a certificate lies between two times")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _only(data: bytes) -> bytes:
    """Give what is in the sequence that this begins with."""
    tag, content = next(_elements(data), (0, b""))
    if tag != _SEQUENCE:
        raise ValueError("this is not how a certificate is built")
    return content


def _elements(data: bytes) -> Iterator[Element]:
    """Cut DER into its values (X.690, 8.1); raises ValueError where a length is none."""
    at = 0
    while at < len(data):
        head = data[at : at + 2]
        at += 2
        size = head[-1]
        if size > 0x80:
            width = size - 0x80
            size = int.from_bytes(data[at : at + width], "big")
            at += width
        if len(head) < 2 or head[1] == 0x80 or at + size > len(data):
            raise ValueError("a value is longer than what holds it")
        yield head[0], data[at : at + size]
        at += size
