"""The options of `cutover serve`: one table, read from the command line and the environment."""

from __future__ import annotations

import importlib.util
import ipaddress
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from proxy.bus_url import BusUrl
from proxy.collector_url import CollectorUrl
from proxy.errors import SettingsError

FORMS = ("auto", "1", "0")
ROLES = ("all", "data-plane", "controller", "shadow")
MIN_TOKEN_LENGTH = 16
MAX_TOKEN_FILE_BYTES = 4096
OVERRIDE_KEY = "override.key"
SHADOW_KEY = "shadow.key"
JOURNAL_HEAD = "journal.head"
"""The file in the state directory that notes the end of the journal."""
MIN_KEY_BYTES = 32
OTLP_HEADERS = "CUTOVER_OTLP_HEADERS"
"""What a collector wants to be told, such as a token; with _FILE, the file that says so."""

_HOST = re.compile(r"[A-Za-z0-9._-]{1,100}")

Address = tuple[str, int]


LISTEN_OPTIONS = ("tls", "proxy")


@dataclass(frozen=True, slots=True)
class Setting:
    """One option of `cutover serve`: its name, placeholder, default as text, and meaning."""

    name: str
    metavar: str
    default: str
    meaning: str

    @property
    def option(self) -> str:
        """The command-line spelling, such as --admin-listen."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """The environment spelling, such as CUTOVER_ADMIN_LISTEN."""
        return f"CUTOVER_{self.name.upper()}"


STATE = Setting("state", "DIR", ".cutover", "where sockets, the snapshot and the store live")

SERVE_SETTINGS: tuple[Setting, ...] = (
    Setting("rules", "FILE", "routing_rules.yaml", "the routing rules; watched while running"),
    STATE,
    Setting(
        "listen",
        "HOST:PORT[;tls][;proxy],...",
        "127.0.0.1:8080",
        "where clients connect, and whether they speak TLS or a PROXY header comes first",
    ),
    Setting("tls_certificate", "FILE,...|DIR", "", "PEM chains for TLS, or their directory"),
    Setting("tls_key", "FILE,...", "", "PEM keys, in the order of the certificates"),
    Setting("admin_listen", "HOST:PORT", "127.0.0.1:8090", "where the API and console listen"),
    Setting("auth", "FILE|none", "", "accounts of the API and console; none: only on loopback"),
    Setting("workers", "N", "", "data plane processes (default: one for each CPU)"),
    Setting("role", "ROLE", "all", f"what to start: {', '.join(ROLES)}"),
    Setting("shadow_workers", "N", "1", "processes that mirror and compare"),
    Setting("bus", "URL", "local", "how captures travel: local, or over redis://HOST:PORT/DB"),
    Setting("store", "URL", "", "PostgreSQL instead of cutover.db in --state; see CUTOVER_STORE"),
    Setting("host", "NAME", "", "name of this host among many (default: the machine's name)"),
    Setting("alerts", "FILE", "", "who is told of rollbacks and troubles; see alerts.md"),
    Setting("keep_days", "DAYS", "30", "how long comparisons are kept after they were last seen"),
    Setting("keep_signatures", "N", "20000", "how many groups of differences are kept"),
    Setting("keep_megabytes", "MB", "512", "how much the differences that are kept may take"),
    Setting("access_log", "PATH", "-", "JSON access log: a file, - for standard output, or off"),
    Setting("otlp", "URL", "", "the collector that gets traces, by OTLP over HTTP; empty: none"),
    Setting("trace_share", "PERCENT", "100%", "how many requests without a trace begin one"),
    Setting("grace_seconds", "SECONDS", "0", "how long SIGTERM only fails readiness"),
    Setting("drain_seconds", "SECONDS", "10", "how long running exchanges may take to finish"),
    Setting("retire_seconds", "SECONDS", "600", "the same for workers replaced by an upgrade"),
    Setting("hang_seconds", "SECONDS", "10", "when a worker that stands still is killed; 0: never"),
    Setting("ready_path", "PATH", "/.cutover/ready", "answered for load balancers; empty: never"),
    Setting("compiled", "FORM", "auto", "compiled code: auto (if it is there), 1 (or fail), or 0"),
)
"""Every option; the token is not one, because a command line is readable by every process."""


@dataclass(frozen=True, slots=True)
class Listen:
    """One address for clients: whether they speak TLS there, and a PROXY header comes first."""

    address: Address
    tls: bool = False
    proxy: bool = False

    def __str__(self) -> str:
        options = (f";{name}" for name in LISTEN_OPTIONS if getattr(self, name))
        return format_address(self.address) + "".join(options)


@dataclass(frozen=True, slots=True)
class Origin:
    """A setting in force as it may be shown, and where it is from.

    `source` is the option or variable that gave it, or `default`.
    """

    name: str
    value: str
    source: str
    meaning: str


@dataclass(frozen=True, slots=True, repr=False)
class ServeSettings:
    """What `cutover serve` was asked to start. `ready_path` is empty when nobody asks."""

    rules: Path
    state: Path
    listen: tuple[Listen, ...]
    tls_certificate: tuple[Path, ...]
    tls_key: tuple[Path, ...]
    admin_listen: Address
    auth: Path | None
    workers: int
    role: str
    shadow_workers: int
    bus: BusUrl
    store: str
    host: str
    alerts: Path | None
    keep_days: int
    keep_signatures: int
    keep_megabytes: int
    access_log: str
    otlp: CollectorUrl | None
    trace_share: float
    grace_seconds: float
    drain_seconds: float
    retire_seconds: float
    hang_seconds: float
    ready_path: str
    compiled: str
    admin_token: str | None
    shadow_key: str | None = None
    origins: tuple[Origin, ...] = ()

    def __repr__(self) -> str:
        return masked_repr(self, secrets=("admin_token", "shadow_key", "store"))

    @property
    def many_hosts(self) -> bool:
        """Whether this host shares its routing with others: it has what all of them can reach."""
        return not self.bus.is_local and self.store.startswith("postgresql")

    @property
    def admin(self) -> AdminSettings:
        """The part that the admin API needs."""
        token = None if self.auth is not None else self.admin_token
        return AdminSettings(
            listen=self.admin_listen, token=token, accounts=self.auth, origins=self.origins
        )


@dataclass(frozen=True, slots=True, repr=False)
class AdminSettings:
    """Where the admin API listens, and what it demands: a token, an account of a file, or nothing.

    With accounts, the token of the environment is not one: it is that of the command line here.
    """

    listen: Address
    token: str | None = None
    accounts: Path | None = None
    origins: tuple[Origin, ...] = ()

    def __repr__(self) -> str:
        return masked_repr(self, secrets=("token",))

    def validate(self) -> None:
        """Raise SettingsError for an API that anybody on the network could steer."""
        host, port = self.listen
        if self.token is None and self.accounts is None and not is_loopback(host):
            raise SettingsError(
                f"the admin API would listen on {format_address((host, port))}, which is not "
                "loopback, without authentication. Name a file of accounts with --auth, set "
                "CUTOVER_ADMIN_TOKEN or CUTOVER_ADMIN_TOKEN_FILE, or listen on 127.0.0.1"
            )
        if self.token is not None and len(self.token) < MIN_TOKEN_LENGTH:
            raise SettingsError(
                f"the admin token has {len(self.token)} characters; use at least "
                f"{MIN_TOKEN_LENGTH} (for example the output of: openssl rand -hex 24)"
            )


def serve_settings(options: Mapping[str, str | None], environ: Mapping[str, str]) -> ServeSettings:
    """Build the settings; an option beats its CUTOVER_ variable, which beats the default.

    Raises SettingsError naming the option or variable that cannot be used.
    """
    text = {setting.name: _value(setting, options, environ) for setting in SERVE_SETTINGS}
    settings = ServeSettings(
        rules=Path(_filled(text["rules"])),
        state=Path(_filled(text["state"])),
        listen=parse_listen(*text["listen"]),
        tls_certificate=_paths(text["tls_certificate"]),
        tls_key=_paths(text["tls_key"]),
        admin_listen=parse_address(*text["admin_listen"]),
        auth=_auth(text["auth"], read_token(environ)),
        workers=_integer(text["workers"], 1, 256) if text["workers"][0] else cpu_count(),
        role=_one_of(ROLES, *text["role"]),
        shadow_workers=_integer(text["shadow_workers"], 0, 64),
        bus=BusUrl.parse(*text["bus"]),
        store=_store(text["store"]),
        host=_host(text["host"]),
        alerts=Path(text["alerts"][0]) if text["alerts"][0] else None,
        keep_days=_integer(text["keep_days"], 1, 3650),
        keep_signatures=_integer(text["keep_signatures"], 1, 1_000_000),
        keep_megabytes=_integer(text["keep_megabytes"], 1, 1_000_000),
        access_log=_filled(text["access_log"]),
        otlp=CollectorUrl.parse(*text["otlp"], _secret(environ, OTLP_HEADERS, "what it says")),
        trace_share=_percent(text["trace_share"]),
        grace_seconds=_seconds(text["grace_seconds"], 3600.0),
        drain_seconds=_seconds(text["drain_seconds"], 3600.0),
        retire_seconds=_seconds(text["retire_seconds"], 7 * 86_400.0),
        hang_seconds=_seconds(text["hang_seconds"], 3600.0),
        ready_path=_path(text["ready_path"]),
        compiled=_one_of(FORMS, *text["compiled"]),
        admin_token=read_token(environ),
        shadow_key=read_shadow_key(environ),
        origins=_origins(options, environ),
    )
    settings.admin.validate()
    if text["host"][0] and not settings.many_hosts:
        raise SettingsError(
            f"{text['host'][1]}: one host among many needs --bus redis://HOST:PORT/DB and a --store"
            " postgresql+asyncpg://…, which all of them share"
        )
    _check_ports(settings)
    _check_tls(settings)
    return settings


def read_token(environ: Mapping[str, str]) -> str | None:
    """Find the admin token in CUTOVER_ADMIN_TOKEN or the file CUTOVER_ADMIN_TOKEN_FILE names."""
    return _secret(environ, "CUTOVER_ADMIN_TOKEN", "the admin token")


def read_shadow_key(environ: Mapping[str, str]) -> str | None:
    """Find the key of mirrored writes in CUTOVER_SHADOW_KEY or CUTOVER_SHADOW_KEY_FILE."""
    key = _secret(environ, "CUTOVER_SHADOW_KEY", "the key of mirrored writes")
    if key is not None and len(key) < MIN_KEY_BYTES:
        raise SettingsError(
            f"the key of mirrored writes has {len(key)} characters; use at least "
            f"{MIN_KEY_BYTES} (for example the output of: openssl rand -hex 32)"
        )
    return key


def _secret(environ: Mapping[str, str], variable: str, what: str) -> str | None:
    """Find a secret in a variable, or in the file that the same with _FILE names."""
    secret, file = environ.get(variable), environ.get(f"{variable}_FILE")
    if secret and file:
        raise SettingsError(f"{variable} and {variable}_FILE are both set; keep one of them")
    if file:
        secret = _read_secret_file(Path(file), f"{variable}_FILE")
    if not secret:
        return None
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise SettingsError(f"{what} must be printable ASCII without spaces")
    return secret


def read_override_key(state: Path) -> bytes:
    """Read the key in a state directory that signs overrides; a serving proxy has made it."""
    path = state / OVERRIDE_KEY
    try:
        key = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"--state {state}: {OVERRIDE_KEY}: {error.strerror}. Name the state directory of a "
            "proxy that has been started, as a user who may read it"
        ) from error
    if len(key) < MIN_KEY_BYTES:
        raise SettingsError(
            f"--state {state}: {OVERRIDE_KEY} has {len(key)} bytes, of {MIN_KEY_BYTES} at least: "
            "anybody could sign. Delete it; the next start of the proxy makes a new one"
        )
    return key


def parse_address(text: str, source: str = "address") -> Address:
    """Read HOST:PORT, with IPv6 hosts in brackets; port 0 lets the system choose."""
    host, colon, port = text.rpartition(":")
    number = whole_number(port)
    if not colon or not host or number is None or number > 65535:
        raise SettingsError(f"{source}: {text!r} is not HOST:PORT, such as 127.0.0.1:8080")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise SettingsError(f"{source}: write the IPv6 address in brackets: [{host}]:{port}")
    return host, number


def parse_listen(text: str, source: str = "address") -> tuple[Listen, ...]:
    """Read HOST:PORT[;tls][;proxy], one or several with commas between."""
    return tuple(_listen(part.strip(), source) for part in text.split(","))


def whole_number(text: str) -> int | None:
    """Read a short run of ASCII digits, or None; int() alone takes signs, spaces and `1_0`."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def format_address(address: Address) -> str:
    """Write HOST:PORT, with IPv6 hosts in brackets."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether this host, a name or an address, can only mean this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name that resolves to loopback today may not tomorrow


def cpu_count() -> int:
    """How many CPUs this process may use; a container's mask counts, the machine does not."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def masked_repr(settings: ServeSettings | AdminSettings, secrets: tuple[str, ...]) -> str:
    """Write settings for a log: a secret shows only whether it is set."""
    shown = (
        f"{field.name}={'***' if field.name in secrets and value is not None else repr(value)}"
        for field in fields(settings)
        if field.name != "origins"
        for value in (getattr(settings, field.name),)
    )
    return f"{type(settings).__name__}({', '.join(shown)})"


SECRETS: Final = (
    ("CUTOVER_ADMIN_TOKEN", "the one token of the API, where there are no accounts"),
    ("CUTOVER_SHADOW_KEY", "the key that signs mirrored writes"),
    (OTLP_HEADERS, "what the collector of traces wants to be told"),
)
"""Variables that hold secrets, or name a file that does (_FILE); shown is if they are set."""

_SECRET_IN_URL: Final = re.compile(r"(?<=//)[^/@\s]*@|(?<==)[^&\s]+")


def _origins(options: Mapping[str, str | None], environ: Mapping[str, str]) -> tuple[Origin, ...]:
    """Tell of every setting where it is from, with no secret in it."""
    found = []
    for setting in SERVE_SETTINGS:
        text, _ = _value(setting, options, environ)
        given = options.get(setting.name) is not None
        source = setting.option if given else setting.variable
        if not given and setting.variable not in environ:
            source = "default"
        shown = _SECRET_IN_URL.sub(_starred, text) if "://" in text else text
        found.append(Origin(setting.name, shown, source, setting.meaning))
    for variable, meaning in SECRETS:
        source = next((v for v in (variable, f"{variable}_FILE") if environ.get(v)), "default")
        shown = "" if source == "default" else "***"
        found.append(Origin(variable, shown, source, meaning))
    return tuple(found)


def _starred(found: re.Match[str]) -> str:
    """Keep of `user:password@` the user, and of a query no value."""
    user = found[0].partition(":")[0] if found[0].endswith("@") else ""
    return f"{user.removesuffix('@')}:***@" if found[0].endswith("@") else "***"


_Sourced = tuple[str, str]
"""A value as text, and the option or variable it came from."""


def _value(
    setting: Setting, options: Mapping[str, str | None], environ: Mapping[str, str]
) -> _Sourced:
    given = options.get(setting.name)
    if given is not None:
        return given, setting.option
    if setting.variable in environ:
        return environ[setting.variable], setting.variable
    return setting.default, setting.option


def _filled(value: _Sourced) -> str:
    text, source = value
    if not text or "\0" in text:
        raise SettingsError(f"{source}: a value is needed")
    return text


def _integer(value: _Sourced, lowest: int, highest: int) -> int:
    text, source = value
    number = whole_number(text)
    if number is not None and lowest <= number <= highest:
        return number
    raise SettingsError(f"{source}: {text!r} is not a whole number from {lowest} to {highest}")


def _seconds(value: _Sourced, highest: float) -> float:
    text, source = value
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= highest:
        raise SettingsError(f"{source}: {text!r} is not a number of seconds from 0 to {highest:g}")
    return seconds


def _percent(value: _Sourced) -> float:
    """Read a percentage as a share from 0 to 1."""
    text, source = value
    try:
        percent = float(text.removesuffix("%")) if text.endswith("%") else math.nan
    except ValueError:
        percent = math.nan
    if not 0 <= percent <= 100:
        raise SettingsError(f"{source}: {text!r} is not a percentage from 0% to 100%, such as 5%")
    return percent / 100


def _path(value: _Sourced) -> str:
    """Read the path of a URL in the spelling in which requests are routed, or nothing."""
    text, source = value
    plain = text.isascii() and text.isprintable() and not set(text) & set(' "#%<>?\\^`{|}')
    steps = text.split("/")[1:]
    if not text or (text[0] == "/" and plain and not set(steps) & {"", ".", ".."}):
        return text
    raise SettingsError(f"{source}: {text!r} is not a plain path, such as /.cutover/ready")


def _auth(value: _Sourced, token: str | None) -> Path | None:
    """Read the file of accounts, or `none`, which a token contradicts."""
    text, source = value
    if text == "none" and token is not None:
        raise SettingsError(
            f"{source}: none, and CUTOVER_ADMIN_TOKEN asks for a token; keep one of the two"
        )
    return None if text in ("", "none") else Path(_filled(value))


def _host(value: _Sourced) -> str:
    text, source = value
    name = text or re.sub(r"[^A-Za-z0-9._-]", "-", os.uname().nodename)[:100]
    if _HOST.fullmatch(name) is None:
        raise SettingsError(f"{source}: {name!r} is no name of letters, digits and . _ -")
    return name


def _store(value: _Sourced) -> str:
    text, source = value
    return store_url(text, source) if text else ""


def store_url(text: str, source: str) -> str:
    """Read the URL of a database, and name the driver that is used.

    No error shows the URL: there may be a password in it.
    """
    scheme, mark, rest = text.partition("://")
    if scheme not in ("postgresql", "postgres", "postgresql+asyncpg") or not mark or not rest:
        raise SettingsError(
            f"{source}: is not the URL of a PostgreSQL database, such as"
            " postgresql://cutover@db.internal/cutover (its password may stand in PGPASSWORD, or"
            " in the file that PGPASSFILE names)"
        )
    if importlib.util.find_spec("asyncpg") is None:
        raise SettingsError(f"{source}: needs a driver: pip install 'cutover[postgresql]'")
    return f"postgresql+asyncpg://{rest}"


def _listen(text: str, source: str) -> Listen:
    address, *options = text.split(";")
    for option in options:
        if option not in LISTEN_OPTIONS or options.count(option) > 1:
            raise SettingsError(
                f"{source}: {text!r} has the option {option!r}; a listener has "
                f"{' and '.join(LISTEN_OPTIONS)}, each at most once, as in 0.0.0.0:8443;tls"
            )
    return Listen(parse_address(address, source), "tls" in options, "proxy" in options)


def _check_ports(settings: ServeSettings) -> None:
    """Refuse two listeners on one port; one that the system chooses is nobody else's."""
    taken = {settings.admin_listen: "--admin-listen"} if settings.admin_listen[1] else {}
    for listen in settings.listen:
        address = listen.address
        if address in taken:
            raise SettingsError(
                f"--listen and {taken[address]} are both {format_address(address)}; "
                "each listener, and the operators' own, needs a port for itself"
            )
        if address[1]:
            taken[address] = "--listen"


def _check_tls(settings: ServeSettings) -> None:
    """Refuse TLS without certificates, certificates without TLS, and keys that fit neither."""
    certificates, keys = settings.tls_certificate, settings.tls_key
    speaks = [listen for listen in settings.listen if listen.tls]
    if speaks and not certificates:
        raise SettingsError(
            f"--listen {speaks[0]} needs --tls-certificate and --tls-key: the PEM files of a "
            "certificate with its chain, and of its key"
        )
    if (certificates or keys) and not speaks:
        raise SettingsError(
            "--tls-certificate and --tls-key are given, but no listener speaks TLS; say so "
            f"behind its address: --listen '{settings.listen[0]};tls'"
        )
    directory = len(certificates) == 1 and not keys
    if not directory and len(certificates) != len(keys):
        raise SettingsError(
            f"--tls-certificate names {len(certificates)} and --tls-key {len(keys)}; each "
            "certificate needs its key, in the same order. Of a directory, which needs no "
            "--tls-key, there can only be one"
        )


def _paths(value: _Sourced) -> tuple[Path, ...]:
    """Read file names with commas between; none at all for an empty text."""
    text, source = value
    return tuple(Path(_filled((part.strip(), source))) for part in text.split(",") if text)


def _one_of(known: tuple[str, ...], text: str, source: str) -> str:
    if text not in known:
        raise SettingsError(f"{source}: {text!r} is not one of {', '.join(known)}")
    return text


def _read_secret_file(path: Path, source: str) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_TOKEN_FILE_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{source}: {path}: {error.strerror}") from error
    secret = content.decode("utf-8", "replace").strip()
    if not secret:
        raise SettingsError(f"{source}: {path} is empty")
    if len(content) > MAX_TOKEN_FILE_BYTES:
        raise SettingsError(f"{source}: {path} is too long to be a secret")
    return secret
