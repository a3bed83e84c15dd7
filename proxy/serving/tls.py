"""TLS towards clients: the certificates in use, which follow their files.

One context for each certificate. The first is the one that every handshake begins with; where the
client names a host (SNI, RFC 6066, 3) that another one is for, it goes on with that. A context is
never changed: new files make a new one, and connections keep the one they have.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from proxy.errors import SettingsError
from proxy.serving.certificate import Statement, read_chain

EXPIRY_WARNING: Final = 14 * 86_400
"""Seconds before its end from which a certificate is warned about, once a day."""

DEFAULT: Final = "default.crt"
"""The one of a directory for clients that name no host, or one that nothing is for."""

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2, those with forward secrecy and authentication in one; those of 1.3 all have both."""

_DAY: Final = 86_400

log = logging.getLogger(__name__)


class Renewal(StrEnum):
    """What came of files that have changed."""

    TAKEN = "taken"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of one certificate with its chain, and of its key."""

    certificate: Path
    key: Path


Stamp = tuple[tuple[int, int, int], ...]
"""What shows that a file was replaced or written: time, inode and size, of both files of a pair."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A pair as it is in use."""

    stamp: Stamp
    context: ssl.SSLContext
    statement: Statement


class CertificateStore:
    """The certificates of one process. Raises SettingsError when one cannot be used at the start.

    It is made before the workers are forked: they then share the keys of session tickets, and a
    client that comes back resumes its session on whichever worker it meets.
    """

    def __init__(self, certificates: Sequence[Path], keys: Sequence[Path] = ()) -> None:
        self._certificates = tuple(certificates)
        self._keys = tuple(keys)
        self._loaded: dict[Pair, Loaded] = {}
        self._refused: dict[Pair, Stamp] = {}
        self._by_name: dict[str, ssl.SSLContext] = {}
        self._warned = 0.0
        for pair in self._pairs():
            self._loaded[pair] = self._load(pair)
        self._take_up()

    @property
    def context(self) -> ssl.SSLContext:
        """The context that a handshake begins with now."""
        return next(iter(self._loaded.values())).context

    def renew(self, force: bool = False) -> list[Renewal]:
        """Take up files that have changed, or all; what cannot be used leaves the old in force.

        A refusal is told once for each change of the files.
        """
        try:
            pairs = self._pairs()
        except SettingsError as error:
            log.error("%s; the certificates of before stay in use", error)  # noqa: TRY400 - the text is the whole story
            return [Renewal.REFUSED]
        outcomes = [outcome for pair in pairs if (outcome := self._renew(pair, force))]
        gone = [pair for pair in self._loaded if pair not in pairs]
        if outcomes or gone:
            # Without any, handshakes would have nothing to begin with: then those of before stay.
            kept = {pair: self._loaded[pair] for pair in pairs if pair in self._loaded}
            self._loaded = kept or self._loaded
            self._take_up()
        return outcomes

    def ends(self) -> dict[str, float]:
        """Give when each certificate in use ends, by its file, in seconds of the epoch."""
        return {
            str(pair.certificate): each.statement.not_after for pair, each in self._loaded.items()
        }

    def warn_of_expiry(self, now: float) -> None:
        """Say once a day which certificates end soon, or have. `now` in seconds of the epoch."""
        if now - self._warned < _DAY:
            return
        self._warned = now
        for pair, loaded in self._loaded.items():
            end = loaded.statement.not_after
            if end - now < EXPIRY_WARNING:
                log.warning(
                    "the certificate %s %s on %s: put its successor in its place, it is taken up "
                    "without a restart",
                    pair.certificate,
                    "ends" if now < end else "has ended",
                    datetime.fromtimestamp(end, UTC).isoformat(" ", "minutes"),
                )

    def _renew(self, pair: Pair, force: bool) -> Renewal | None:
        stamp, old = _stamp(pair), self._loaded.get(pair)
        if not force and stamp == (self._refused.get(pair) or (old and old.stamp)):
            return None
        try:
            self._loaded[pair] = self._load(pair)
        except SettingsError as error:
            self._refused[pair] = stamp
            kept = "; the certificate of before stays in use" if old else ""
            log.error("%s%s", error, kept)  # noqa: TRY400 - the text is the whole story
            return Renewal.REFUSED
        self._refused.pop(pair, None)
        log.info("the certificate %s is in use", pair.certificate)
        return Renewal.TAKEN

    def _pairs(self) -> tuple[Pair, ...]:
        if self._keys:
            return tuple(map(Pair, self._certificates, self._keys))
        return tuple(_pairs_in(self._certificates[0]))

    def _load(self, pair: Pair) -> Loaded:
        stamp = _stamp(pair)  # first: what is written meanwhile is noticed later
        context = _context(pair)
        context.sni_callback = self._choose
        return Loaded(stamp, context, _statement(pair))

    def _take_up(self) -> None:
        """Find contexts by name; of several for one name the first counts."""
        self._by_name = {
            name: loaded.context
            for loaded in reversed(self._loaded.values())
            for name in loaded.statement.names
        }

    def _choose(self, tls: ssl.SSLObject, host: str | None, begun: ssl.SSLContext) -> None:
        """Go on with the certificate that is for this host, if there is one."""
        if host is not None:
            chosen = self._find(host.lower())
            if chosen is not None and chosen is not begun:
                tls.context = chosen

    def _find(self, host: str) -> ssl.SSLContext | None:
        _, _, parent = host.partition(".")
        return self._by_name.get(host) or self._by_name.get(f"*.{parent}")


def _pairs_in(directory: Path) -> Iterable[Pair]:
    """Give each NAME.crt with its NAME.key, `default.crt` first."""
    try:
        found = [path for path in directory.iterdir() if path.suffix == ".crt"]
    except NotADirectoryError as error:
        raise SettingsError(
            f"--tls-certificate {directory} is a file; name its key with --tls-key"
        ) from error
    except OSError as error:
        raise SettingsError(f"--tls-certificate {directory}: {error.strerror}") from error
    if not found:
        raise SettingsError(
            f"--tls-certificate {directory}: the directory holds no certificate; put NAME.crt "
            "with its chain there, and NAME.key"
        )
    found.sort(key=lambda path: (path.name != DEFAULT, path.name))
    return [Pair(path, path.with_suffix(".key")) for path in found]


def _stamp(pair: Pair) -> Stamp:
    return tuple(_stamps((pair.certificate, pair.key)))


def _stamps(files: Iterable[Path]) -> Iterator[tuple[int, int, int]]:
    for file in files:
        try:
            found = file.stat()
        except OSError:
            yield (0, 0, 0)
        else:
            yield (found.st_mtime_ns, found.st_ino, found.st_size)


def _context(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    for option, file in (("--tls-certificate", pair.certificate), ("--tls-key", pair.key)):
        try:
            file.open("rb").close()
        except OSError as error:
            raise SettingsError(f"{option} {file}: {error.strerror}") from error
    try:
        context.load_cert_chain(pair.certificate, pair.key, _refuse_to_ask)
    except (ssl.SSLError, OSError, _EncryptedError) as error:
        raise SettingsError(_trouble(pair, error)) from error
    return context


class _EncryptedError(Exception):
    """OpenSSL has asked for the password of a key; nobody is there to type it."""


def _refuse_to_ask() -> str:
    raise _EncryptedError


def _trouble(pair: Pair, error: Exception) -> str:
    """Say what, where and how to mend it."""
    reason = getattr(error, "reason", None) or ""
    if isinstance(error, _EncryptedError):
        return (
            f"--tls-key {pair.key}: the key is encrypted, and nobody is there to type its "
            "password; write it unencrypted (openssl pkey -in OLD -out NEW), readable by the "
            "proxy's user alone"
        )
    if reason in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"):
        return (
            f"--tls-key {pair.key} is not the key of --tls-certificate {pair.certificate}; "
            "the chain must begin with the server's own certificate"
        )
    return (
        f"--tls-certificate {pair.certificate} with --tls-key {pair.key}: OpenSSL cannot use "
        f"them ({reason.replace('_', ' ').lower() or error}); both must be PEM, the chain with "
        "the server's certificate first, and of at least 2048 bits (RSA)"
    )


def _statement(pair: Pair) -> Statement:
    try:
        return read_chain(pair.certificate.read_text("ascii", "replace"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"--tls-certificate {pair.certificate}: {error}") from error
