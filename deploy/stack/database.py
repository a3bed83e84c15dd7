"""Where a database is and how to log in to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote


@dataclass(frozen=True)
class Database:
    """One database on one server, with the account that owns it."""

    scheme: str
    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)

    @property
    def url(self) -> str:
        """The plain URL: `mysql://…` or `postgresql://…`."""
        return self._url(self.scheme)

    @property
    def sqlalchemy_url(self) -> str:
        """The URL with the asyncio driver that SQLAlchemy should use."""
        driver = {"mysql": "aiomysql", "postgresql": "asyncpg"}[self.scheme]
        return self._url(f"{self.scheme}+{driver}")

    def _url(self, scheme: str) -> str:
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"{scheme}://{login}@{self.host}:{self.port}/{self.name}"


def identifier(name: str) -> str:
    """Return the name if it needs no quoting in SQL; raises ValueError for any other."""
    if re.fullmatch(r"[a-z_][a-z0-9_]*", name) is None:
        raise ValueError(f"{name!r} is not a plain name: lower-case letters, digits and _ only")
    return name
