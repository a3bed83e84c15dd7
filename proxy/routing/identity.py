"""Who is asking: the first source of a route's `sticky_by` that the request carries.

An identity is the bytes `SOURCE=VALUE`, such as `cookie:PHPSESSID=3f…`. It decides on which side a
user stays; it is not authentication. It is hashed before it leaves the data plane.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from hashlib import blake2b
from hmac import compare_digest
from typing import Final, Protocol

import orjson
from xxhash import xxh3_64_intdigest

VALUE_MAX: Final = 4096
"""Longer values are cut before hashing, so that the work stays bounded."""

CLIENT_IP: Final = b"client_ip="
MINT: Final = "mint"
MINT_COOKIE: Final = b"cutover_id"
MINT_PREFIX: Final = b"mint="


class Request(Protocol):
    """What identities are taken from."""

    def get(self, name: bytes) -> bytes | None:
        """Give the value of the first field of this lower-case name, or None."""
        ...


Source = Callable[[Request, Mapping[str, str]], bytes | None]
"""Takes the request and its path parameters, gives the identity or None."""


def canonical(source: str) -> str:
    """Give the one spelling of a source: names of fields have no case (RFC 9110, 5.1)."""
    kind, mark, name = source.partition(":")
    return f"{kind}{mark}{name.lower()}" if kind == "header" else source


def compile_source(source: str, mint_key: bytes) -> Source:
    """Compile one entry of `sticky_by`, other than `client_ip`; `mint_key` signs minted cookies."""
    source = canonical(source)
    kind, _, name = source.partition(":")
    prefix = source.encode() + b"="
    if kind == "cookie":
        return _cookie(name.encode(), prefix)
    if kind == "header":
        return _header(name.encode(), prefix)
    if kind == "jwt":
        return _claim(name, prefix)
    if kind == "path":
        return lambda _, parameters: _tagged(prefix, parameters.get(name, "").encode())
    if source == MINT:
        return _minted(mint_key)
    raise ValueError(f"not a source of identity: {source}")


def identity_hash(identity: bytes) -> int:
    """A 63-bit hash that stands for an identity wherever it is counted or stored."""
    return xxh3_64_intdigest(identity) >> 1


def cookie_value(header: bytes, name: bytes) -> bytes | None:
    """Give the value of the first cookie of this name in a Cookie field (RFC 6265, 4.2.1)."""
    for part in header.split(b";"):
        key, mark, value = part.strip(b" \t").partition(b"=")
        if mark and key == name:
            return value
    return None


def _tagged(prefix: bytes, value: bytes | None) -> bytes | None:
    return prefix + value[:VALUE_MAX] if value else None


def _cookie(name: bytes, prefix: bytes) -> Source:
    def source(request: Request, _: Mapping[str, str]) -> bytes | None:
        header = request.get(b"cookie")
        if header is None or name not in header:
            return None
        return _tagged(prefix, cookie_value(header, name))

    return source


def mint(key: bytes, chance: bytes) -> bytes:
    """Make the value of a new identity cookie from 16 random bytes: `RANDOM.SIGNATURE` in hex."""
    value = chance.hex().encode()
    return value + b"." + _signature(key, value)


def _signature(key: bytes, value: bytes) -> bytes:
    return blake2b(value, key=key, digest_size=8).hexdigest().encode()


def _minted(key: bytes) -> Source:
    """Accept only cookies that we have signed: nobody chooses a bucket, or fills a log, at will."""
    read = _cookie(MINT_COOKIE, b"")

    def source(request: Request, parameters: Mapping[str, str]) -> bytes | None:
        value = read(request, parameters)
        if value is None:
            return None
        random, _, signature = value.partition(b".")
        valid = compare_digest(signature, _signature(key, random))
        return MINT_PREFIX + value if valid else None

    return source


def _header(name: bytes, prefix: bytes) -> Source:
    return lambda request, _: _tagged(prefix, request.get(name))


def _claim(claim: str, prefix: bytes) -> Source:
    def source(request: Request, _: Mapping[str, str]) -> bytes | None:
        header = request.get(b"authorization")
        if header is None or header[:7].lower() != b"bearer ":
            return None
        return _tagged(prefix, jwt_claim(header[7:], claim))

    return source


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
