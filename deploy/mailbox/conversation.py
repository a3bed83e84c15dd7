"""One conversation in SMTP (RFC 5321), line by line: what comes in, and what is answered (pure).

Recipients whose mailbox begins with `bounce` are refused for ever (550), with `busy` for now (451).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

MAIL_MAX: Final = 1024 * 1024
"""Bytes of the largest mail."""

GREETING: Final = b"220 mailbox ready\r\n"

_ADDRESS: Final = re.compile(rb"(?:FROM|TO):\s*<([^<>\s]*)>.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail with its envelope; `content` as it was sent, dots unstuffed."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass(slots=True)
class Conversation:
    """What one client has said so far."""

    ended: bool = False
    _sender: str | None = None
    _recipients: list[str] = field(default_factory=list)
    _lines: list[bytes] | None = None
    _size: int = 0

    def hear(self, line: bytes) -> tuple[bytes, Mail | None]:
        """Take one line with its end; give the reply (may be empty), and a complete mail."""
        if self._lines is not None:
            return self._content(self._lines, line)
        verb, _, rest = line.strip().partition(b" ")
        match verb.upper():
            case b"EHLO" | b"HELO":
                self._reset()
                return b"250 mailbox\r\n", None
            case b"MAIL":
                return self._mail(rest), None
            case b"RCPT":
                return self._recipient(rest), None
            case b"DATA":
                return self._begin(), None
            case b"RSET":
                self._reset()
                return b"250 ok\r\n", None
            case b"NOOP":
                return b"250 ok\r\n", None
            case b"QUIT":
                self.ended = True
                return b"221 bye\r\n", None
            case _:
                return b"502 not known here\r\n", None

    def _mail(self, rest: bytes) -> bytes:
        found = _ADDRESS.fullmatch(rest)
        if found is None:
            return b"501 MAIL FROM:<address>\r\n"
        self._reset()
        self._sender = found[1].decode("utf-8", "replace")
        return b"250 ok\r\n"

    def _recipient(self, rest: bytes) -> bytes:
        found = _ADDRESS.fullmatch(rest)
        if self._sender is None or found is None:
            return b"503 MAIL FROM comes first, then RCPT TO:<address>\r\n"
        address = found[1].decode("utf-8", "replace")
        if address.startswith("bounce"):
            return b"550 no such mailbox\r\n"
        if address.startswith("busy"):
            return b"451 try again later\r\n"
        self._recipients.append(address)
        return b"250 ok\r\n"

    def _begin(self) -> bytes:
        if not self._recipients:
            return b"503 to whom?\r\n"
        self._lines, self._size = [], 0
        return b"354 go on, end with a dot\r\n"

    def _content(self, lines: list[bytes], line: bytes) -> tuple[bytes, Mail | None]:
        if line.rstrip(b"\r\n") != b".":
            self._size += len(line)
            if self._size <= MAIL_MAX:
                lines.append(line[1:] if line.startswith(b".") else line)
            return b"", None
        mail = Mail(self._sender or "", tuple(self._recipients), b"".join(lines))
        too_large = self._size > MAIL_MAX
        self._reset()
        return (b"552 too large\r\n", None) if too_large else (b"250 taken\r\n", mail)

    def _reset(self) -> None:
        self._sender, self._recipients, self._lines = None, [], None
