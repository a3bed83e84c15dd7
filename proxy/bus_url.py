"""How captures travel: on this machine, or over Redis, by a URL that may have a password in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from proxy.errors import SettingsError

LOCAL: Final = "local"
SCHEMES: Final = ("redis", "rediss", "unix")
PREFIX: Final = "cutover"

_PREFIX: Final = re.compile(r"[A-Za-z0-9_.:{}-]{1,100}")


@dataclass(frozen=True, slots=True, repr=False)
class BusUrl:
    """A Redis server, and the prefix of the keys that are used there; no `url` means this machine.

    Written `redis://[USER:PASSWORD@]HOST[:PORT][/DB][?prefix=NAME]`, with TLS `rediss://`, or
    `unix:///PATH`.
    """

    url: str = ""
    prefix: str = PREFIX

    @staticmethod
    def parse(text: str, source: str) -> BusUrl:
        """Read a setting; raises SettingsError, without the password."""
        if text == LOCAL:
            return BusUrl()
        try:
            parts = urlsplit(text)
            names = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
            port = parts.port
        except ValueError as error:
            raise SettingsError(f"{source}: this is no URL: {error}") from error
        if parts.scheme not in SCHEMES or parts.fragment or port == 0:
            raise SettingsError(
                f"{source}: write {LOCAL}, redis://HOST:PORT/DB, rediss://HOST:PORT/DB, or "
                "unix:///PATH"
            )
        if not (parts.path if parts.scheme == "unix" else parts.hostname):
            raise SettingsError(f"{source}: a {parts.scheme}:// URL says where the server is")
        if parts.password is not None and source.startswith("--"):
            raise SettingsError(
                f"{source}: a command line is readable by every process. Set CUTOVER_BUS instead"
            )
        (prefix,) = names.pop("prefix", [PREFIX])[-1:]
        if names or _PREFIX.fullmatch(prefix) is None:
            raise SettingsError(
                f"{source}: behind the ? there may be prefix=NAME, of letters, digits and _ . : -"
            )
        return BusUrl(text.partition("?")[0], prefix)

    @property
    def is_local(self) -> bool:
        """Whether captures stay on this machine."""
        return not self.url

    def __str__(self) -> str:
        """Write it for a log: a user's name and password only show that they are there."""
        if self.is_local:
            return LOCAL
        scheme, _, rest = self.url.partition("://")
        _, at, where = rest.rpartition("@")
        query = f"?prefix={self.prefix}" if self.prefix != PREFIX else ""
        return f"{scheme}://{'***@' if at else ''}{where}{query}"

    def __repr__(self) -> str:
        return f"BusUrl({self})"
