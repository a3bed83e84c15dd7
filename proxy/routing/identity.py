"""Who is asking: the first source of a route's `sticky_by` that the request carries.

An identity is the bytes `SOURCE=VALUE`, such as `cookie:PHPSESSID=3f…`. It decides on which side a
user stays; it is not authentication. It is hashed before it leaves the data plane.
"""

from __future__ import annotations

import base64
import binascii
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from hashlib import blake2b
from hmac import compare_digest
from typing import Final

import orjson
from xxhash import xxh3_64_intdigest

from proxy.wire.message import RequestHead

VALUE_MAX: Final = 4096
"""Longer values are cut before hashing, so that the work stays bounded."""

CLIENT_IP: Final = b"client_ip="
MINT: Final = "mint"
MINT_COOKIE: Final = b"cutover_id"
MINT_PREFIX: Final = b"mint="

NAMED: Final = ("cookie", "header", "jwt", "path")
"""Kinds of sources that have a name: what a request says, not where it comes from."""

_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""A token (RFC 9110, 5.6.2)."""


class Source(ABC):
    """One entry of `sticky_by`, compiled."""

    __slots__ = ()

    @abstractmethod
    def find(self, head: RequestHead, parameters: Mapping[str, str]) -> bytes | None:
        """Give the identity that this request carries here; `parameters` are those of its path."""


def canonical(source: str) -> str:
    """Give the one spelling of a source: names of fields have no case (RFC 9110, 5.1)."""
    kind, mark, name = source.partition(":")
    return f"{kind}{mark}{name.lower()}" if kind == "header" else source


def is_source(text: str) -> bool:
    """Whether a text may stand in `sticky_by`."""
    kind, _, name = text.partition(":")
    if kind in NAMED:
        return _NAME.fullmatch(name) is not None
    return text in ("client_ip", MINT)


def compile_source(source: str, mint_key: bytes) -> Source:
    """Compile one entry of `sticky_by`, other than `client_ip`; `mint_key` signs minted cookies."""
    source = canonical(source)
    kind, _, name = source.partition(":")
    prefix = source.encode() + b"="
    if kind == "cookie":
        return _Cookie(name.encode(), prefix)
    if kind == "header":
        return _Header(name.encode(), prefix)
    if kind == "jwt":
        return _Claim(name, prefix)
    if kind == "path":
        return _Parameter(name, prefix)
    if source == MINT:
        return _Minted(mint_key)
    raise ValueError(f"not a source of identity: {source}")


def identity_hash(identity: bytes) -> int:
    """A 63-bit hash that stands for an identity wherever it is counted or stored."""
    return xxh3_64_intdigest(identity) >> 1


def cookie_value(header: bytes, name: bytes) -> bytes | None:
    """Give the value of the first cookie of this name in a Cookie field (RFC 6265, 4.2.1)."""
    wanted = name + b"="
    at = header.find(wanted)
    if at < 0:
        return None
    # Another's value, or another's spacing. Compiled, a slice must not end before it begins.
    if at == 1 or (at and header[at - 2 : at] != b"; "):
        return _cookie_value(header, name)
    start, end = at + len(wanted), header.find(b";", at)
    return (header[start:end] if end >= 0 else header[start:]).rstrip(b" \t")


def _cookie_value(header: bytes, name: bytes) -> bytes | None:
    for part in header.split(b";"):
        key, mark, value = part.strip(b" \t").partition(b"=")
        if mark and key == name:
            return value
    return None


def _tagged(prefix: bytes, value: bytes | None) -> bytes | None:
    return prefix + value[:VALUE_MAX] if value else None


class _Cookie(Source):
    __slots__ = ("_name", "_prefix")

    def __init__(self, name: bytes, prefix: bytes) -> None:
        self._name: Final = name
        self._prefix: Final = prefix

    def find(self, head: RequestHead, parameters: Mapping[str, str]) -> bytes | None:  # noqa: ARG002
        header = head.get(b"cookie")
        return None if header is None else _tagged(self._prefix, cookie_value(header, self._name))


def mint(key: bytes, chance: bytes) -> bytes:
    """Make the value of a new identity cookie from 16 random bytes: `RANDOM.SIGNATURE` in hex."""
    value = chance.hex().encode()
    return value + b"." + _signature(key, value)


def _signature(key: bytes, value: bytes) -> bytes:
    return blake2b(value, key=key, digest_size=8).hexdigest().encode()


class _Minted(Source):
    """Accepts only what we have signed: nobody chooses a bucket, or fills a log, at will."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key: Final = key

    def find(self, head: RequestHead, parameters: Mapping[str, str]) -> bytes | None:  # noqa: ARG002
        header = head.get(b"cookie")
        value = None if header is None else cookie_value(header, MINT_COOKIE)
        if not value or len(value) > VALUE_MAX:
            return None
        random, _, signature = value.partition(b".")
        valid = compare_digest(signature, _signature(self._key, random))
        return MINT_PREFIX + value if valid else None


class _Header(Source):
    __slots__ = ("_name", "_prefix")

    def __init__(self, name: bytes, prefix: bytes) -> None:
        self._name: Final = name
        self._prefix: Final = prefix

    def find(self, head: RequestHead, parameters: Mapping[str, str]) -> bytes | None:  # noqa: ARG002
        return _tagged(self._prefix, head.get(self._name))


class _Parameter(Source):
    __slots__ = ("_name", "_prefix")

    def __init__(self, name: str, prefix: bytes) -> None:
        self._name: Final = name
        self._prefix: Final = prefix

    def find(self, head: RequestHead, parameters: Mapping[str, str]) -> bytes | None:  # noqa: ARG002
        return _tagged(self._prefix, parameters.get(self._name, "").encode())


class _Claim(Source):
    __slots__ = ("_claim", "_prefix")

    def __init__(self, claim: str, prefix: bytes) -> None:
        self._claim: Final = claim
        self._prefix: Final = prefix

    def find(self, head: RequestHead, parameters: Mapping[str, str]) -> bytes | None:  # noqa: ARG002
        header = head.get(b"authorization")
        if header is None or header[:7].lower() != b"bearer ":
            return None
        return _tagged(self._prefix, jwt_claim(header[7:], self._claim))


def jwt_claim(token: bytes, claim: str) -> bytes | None:
    """Read one claim of a JSON Web Token without verifying it; None when it is not there.

    The application verifies. Here a forged claim only chooses its own bucket, as any header could.
    """
    parts = token.strip().split(b".")
    if len(parts) != 3 or len(parts[1]) > VALUE_MAX * 2:
        return None
    try:
        payload = orjson.loads(base64.urlsafe_b64decode(parts[1] + b"=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    value = payload.get(claim) if isinstance(payload, dict) else None
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        return None
    return str(value).encode()
