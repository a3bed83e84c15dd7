"""Where traces go: a collector that takes OTLP over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from proxy.errors import SettingsError

TRACES: Final = "/v1/traces"
"""What every collector calls the place (OTLP/HTTP); a URL that ends with it is left as it is."""

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CollectorUrl:
    """A collector's address, the path that takes traces, and what else it wants to be told.

    `headers` may hold a token, and is never shown.
    """

    host: str
    port: int
    path: str = TRACES
    secure: bool = False
    headers: Headers = field(default=(), repr=False)

    @staticmethod
    def parse(text: str, source: str, headers: str | None = None) -> CollectorUrl | None:
        """Read a setting, and `name=value,...` with percent-encoded values; None for no URL.

        Raises SettingsError, without the headers.
        """
        if not text:
            return None
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise SettingsError(f"{source}: this is no URL: {error}") from error
        plain = text.isascii() and text.isprintable() and " " not in text
        if parts.scheme not in ("http", "https") or not parts.hostname or not plain or port == 0:
            raise SettingsError(f"{source}: write http://HOST:4318, or https://HOST")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise SettingsError(
                f"{source}: a collector's URL has no user, query or fragment; what it wants to be "
                "told, such as a token, goes into CUTOVER_OTLP_HEADERS"
            )
        secure = parts.scheme == "https"
        path = parts.path.rstrip("/")
        return CollectorUrl(
            parts.hostname,
            port or (443 if secure else 80),
            path if path.endswith(TRACES) else path + TRACES,
            secure,
            _headers(headers or ""),
        )

    @property
    def authority(self) -> str:
        """Host and port, as in a Host field."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"http{'s' if self.secure else ''}://{self.authority}{self.path}"


def _headers(text: str) -> Headers:
    found = []
    for pair in filter(None, text.split(",")):
        name, equals, value = pair.partition("=")
        name, value = name.strip(), unquote(value.strip())
        is_name = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
        if not equals or not is_name or not (value.isascii() and value.isprintable()):
            raise SettingsError(
                "CUTOVER_OTLP_HEADERS: write NAME=VALUE,NAME=VALUE, with %20 for a space, as in "
                "Authorization=Bearer%20TOKEN"
            )
        found.append((name, value))
    return tuple(found)
