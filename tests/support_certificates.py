"""Certificates for tests, made by the openssl command, and clients that trust them."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


@dataclass(frozen=True)
class Made:
    """The files of a self-signed certificate."""

    certificate: Path
    key: Path

    def client(self) -> ssl.SSLContext:
        """Give the context of a client that trusts this certificate and no other."""
        context = ssl.create_default_context(cafile=self.certificate)
        context.set_alpn_protocols(["h2", "http/1.1"])
        return context


def make_certificate(
    directory: Path,
    name: str = "shop",
    *hosts: str,
    days: int = 30,
    password: str = "",
    kind: tuple[str, ...] = _EC,
) -> Made:
    """Make NAME.crt and NAME.key for these hosts (else shop.test, and 127.0.0.1)."""
    made = Made(directory / f"{name}.crt", directory / f"{name}.key")
    names = ",".join([f"DNS:{host}" for host in hosts or ("shop.test",)] + ["IP:127.0.0.1"])
    protection = ["-passout", f"pass:{password}"] if password else ["-nodes"]
    _openssl(
        "req", "-x509", *kind, *protection, "-days", str(days), "-subj", f"/CN={name}",
        "-addext", f"subjectAltName={names}",
        "-keyout", str(made.key), "-out", str(made.certificate),
    )  # fmt: skip
    return made


def talk(sock: socket.socket, made: Made, header: bytes, request: bytes) -> bytes:
    """Send a header with the first message of a handshake in one packet, then a request.

    Gives everything that comes until close_notify; raises an SSLError when there is none.
    """
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = made.client().wrap_bio(incoming, outgoing, server_hostname="shop.test")

    def patiently(step: Callable[[], T]) -> T:
        nonlocal header
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                sock.sendall(header + outgoing.read())
                header = b""
                data = sock.recv(65_536)
                incoming.write(data) if data else incoming.write_eof()

    patiently(tls.do_handshake)
    patiently(lambda: tls.write(request))
    answer = b""
    while piece := patiently(tls.read):
        answer += piece
    return answer


def end_of(certificate: Path) -> str:
    """Give the end of validity as openssl tells it, such as `Nov 27 03:09:00 2026 GMT`."""
    return _openssl("x509", "-noout", "-enddate", "-in", str(certificate)).partition("=")[2].strip()


def _openssl(*arguments: str) -> str:
    return subprocess.run(
        ["openssl", *arguments], check=True, capture_output=True, text=True, timeout=60
    ).stdout
