"""Database addresses as values, and how they are shown without their password (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from migration_tools.errors import AddressError

SOURCE_SCHEMES = ("mysql", "mysql+aiomysql", "mysql+pymysql", "mariadb")
TARGET_SCHEMES = ("postgresql", "postgresql+asyncpg", "postgres")
SOURCE_VARIABLE = "LEGACY_DATABASE_URL"
TARGET_VARIABLE = "DATABASE_URL"


@dataclass(frozen=True, slots=True)
class SourceAddress:
    """Where the MariaDB or MySQL database is; `str()` hides the password."""

    host: str
    port: int
    user: str
    password: str
    database: str
    unix_socket: str | None = None

    def __str__(self) -> str:
        where = self.unix_socket or f"{self.host}:{self.port}"
        return f"mysql://{self.user}:***@{where}/{self.database}"


@dataclass(frozen=True, slots=True)
class TargetAddress:
    """Where the PostgreSQL database is, as a DSN asyncpg reads; `str()` hides the password."""

    dsn: str
    shown: str

    def __str__(self) -> str:
        return self.shown


def choose(option: str | None, variable: str, environment: Mapping[str, str]) -> str:
    """Return the address from the option or else the environment; raise AddressError if none."""
    text = option or environment.get(variable)
    if not text:
        side = "--source" if variable == SOURCE_VARIABLE else "--target"
        raise AddressError(f"no address for {side}: give {side} or set {variable}")
    return text


def source_address(text: str) -> SourceAddress:
    """Read `mysql://user:password@host:port/database[?unix_socket=PATH]`; raise AddressError."""
    parts, port = _split(text, SOURCE_SCHEMES, "mysql://user:password@host:3306/database")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    unix_socket = options.pop("unix_socket", None)
    options.pop("charset", None)  # common in SQLAlchemy addresses; we always speak utf8mb4
    if options:
        unknown = ", ".join(sorted(options))
        raise AddressError(f"unknown option in the source address: {unknown}")
    return SourceAddress(
        host=parts.hostname or "127.0.0.1",
        port=port or 3306,
        user=unquote(parts.username or "root"),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.lstrip("/")),
        unix_socket=unix_socket,
    )


def target_address(text: str) -> TargetAddress:
    """Read `postgresql[+asyncpg]://user:password@host:port/database[?…]`; raise AddressError."""
    parts, port = _split(text, TARGET_SCHEMES, "postgresql://user:password@host:5432/database")
    where = f"{parts.hostname or 'localhost'}:{port or 5432}{parts.path}"
    return TargetAddress(
        dsn=parts._replace(scheme="postgresql").geturl(),
        shown=f"postgresql://{unquote(parts.username or 'postgres')}:***@{where}",
    )


def _split(text: str, schemes: tuple[str, ...], example: str) -> tuple[SplitResult, int | None]:
    # The text itself is never repeated in the message: it may hold a password.
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise AddressError(
            f"an address like {example} is needed, and its port is a number"
        ) from error
    if parts.scheme not in schemes:
        raise AddressError(f"an address like {example} is needed, not {parts.scheme or '?'}://…")
    if not parts.path.strip("/"):
        raise AddressError(f"the address names no database; write it like {example}")
    return parts, port
