"""One address of an upstream."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Instance:
    """Where one process of an application listens, `secure` if over TLS."""

    host: str
    port: int
    secure: bool = False

    @classmethod
    def parse(cls, url: str) -> Instance:
        """Read `http://HOST:PORT` or `https://HOST:PORT`, as the rules have checked it."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        return cls(parts.hostname or "", parts.port or (443 if secure else 80), secure)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
