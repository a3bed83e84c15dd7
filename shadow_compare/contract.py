"""The contract of a mirrored write: how a request is marked, and how its answer is acknowledged.

    Cutover-Shadow: v1;ts=1767225600;id=8f2c.51;sig=9a…      over method, target, body, ts and id
    Cutover-Shadow-Ack: v1;id=8f2c.51;sig=04…                over id, status and body of the answer

A signature is HMAC-SHA256 in hexadecimal over lines, of which the first says what is signed: a mark
can never pass for an acknowledgement. A body is represented by its SHA-256. An answer that was too
long to be kept is acknowledged without it, and says so: `v1;id=…;body=omitted;sig=…`.

A mark without time and signature, `v1;id=…`, says of a read that it is a repetition.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

MARK: Final = "cutover-shadow"
ACKNOWLEDGEMENT: Final = "cutover-shadow-ack"

WINDOW: Final = 30.0
"""Seconds by which the clocks of proxy and application may differ, the way included."""

KEY_LEAST: Final = 32
"""Bytes of the shortest key."""

_ID: Final = r"id=(?P<id>[A-Za-z0-9._:+/=@-]{1,200})"
_SIGNATURE: Final = r"sig=(?P<signature>[0-9a-f]{64})"
_MARK: Final = re.compile(rf"v1;(?:ts=(?P<at>[0-9]{{1,15}});{_ID};{_SIGNATURE}|id=(?P<read>\S+))")
_ACKNOWLEDGEMENT: Final = re.compile(rf"v1;{_ID};(?P<omitted>body=omitted;)?{_SIGNATURE}")


@dataclass(frozen=True, slots=True)
class Mark:
    """What a request says of itself; `at` is Unix time in seconds, `signature` empty for a read."""

    id: str
    at: int
    signature: str

    @property
    def is_signed(self) -> bool:
        """Whether this marks a write, or anything that is to be carried out without effect."""
        return bool(self.signature)

    def is_by(self, key: bytes, method: str, target: str, body: bytes) -> bool:
        """Whether a holder of the key has marked this very request."""
        signed = _of_request(key, method, target, body, self.at, self.id)
        return hmac.compare_digest(signed, self.signature)


def mark(key: bytes, method: str, target: str, body: bytes, *, at: int, identifier: str) -> str:
    """Write the mark of a request; `at` is Unix time in seconds, `target` as on the wire."""
    signature = _of_request(key, method, target, body, at, identifier)
    return f"v1;ts={at};id={identifier};sig={signature}"


def mark_of_read(identifier: str) -> str:
    """Write the mark of a request that changes nothing anyway."""
    return f"v1;id={identifier}"


def read_mark(text: str) -> Mark | None:
    """Read a mark; None when it is none."""
    found = _MARK.fullmatch(text)
    if found is None:
        return None
    if found["read"] is not None:
        return Mark(found["read"], 0, "")
    return Mark(found["id"], int(found["at"]), found["signature"])


def acknowledgement(key: bytes, identifier: str, status: int, body: bytes | None) -> str:
    """Acknowledge a request that was carried out without effect; no body when it is omitted."""
    signature = _of_answer(key, identifier, status, body)
    omitted = "body=omitted;" if body is None else ""
    return f"v1;id={identifier};{omitted}sig={signature}"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What an answer says of itself."""

    id: str
    omitted: bool
    signature: str

    def is_by(self, key: bytes, identifier: str, status: int, body: bytes) -> bool:
        """Whether a holder of the key has answered this very request with this very answer."""
        covered = None if self.omitted else body
        signed = _of_answer(key, identifier, status, covered)
        return self.id == identifier and hmac.compare_digest(signed, self.signature)


def read_acknowledgement(text: str) -> Acknowledgement | None:
    """Read an acknowledgement; None when it is none."""
    found = _ACKNOWLEDGEMENT.fullmatch(text)
    if found is None:
        return None
    return Acknowledgement(found["id"], found["omitted"] is not None, found["signature"])


def _of_request(key: bytes, method: str, target: str, body: bytes, at: int, identifier: str) -> str:
    digest = hashlib.sha256(body).hexdigest()
    return _signature(key, "cutover shadow v1", method, target, digest, str(at), identifier)


def _of_answer(key: bytes, identifier: str, status: int, body: bytes | None) -> str:
    digest = "omitted" if body is None else hashlib.sha256(body).hexdigest()
    return _signature(key, "cutover shadow ack v1", identifier, str(status), digest)


def _signature(key: bytes, *lines: str) -> str:
    return hmac.new(key, "\n".join(lines).encode("latin-1"), hashlib.sha256).hexdigest()
