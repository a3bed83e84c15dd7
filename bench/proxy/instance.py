"""A running product: started in its own folder, pinned, awaited, and ended with the stack."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench import processes
from bench.accounting import tree
from bench.processes import BenchError
from bench.proxy.products.site import Plan, Product, Site, Variant


@dataclass(frozen=True, slots=True)
class Instance:
    """One product in one variant."""

    product: Product
    site: Site
    process: subprocess.Popen[bytes]

    @property
    def label(self) -> str:
        """How progress and errors name it."""
        return f"{self.product.name}{describe(self.site.variant)}"

    @property
    def url(self) -> str:
        """What load is sent to; nothing but loopback."""
        return f"{'https' if self.site.variant.tls else 'http'}://127.0.0.1:{self.site.port}"

    def first_words(self) -> str:
        """The first event of its log: ours says there whether the hot path is compiled."""
        line = next(iter((self.site.folder / "log").read_text().splitlines()), "{}")
        try:
            return str(json.loads(line).get("event", ""))
        except ValueError:
            return line

    def pids(self) -> list[int]:
        """All its processes, as they are now."""
        return tree(self.process.pid)


def describe(variant: Variant) -> str:
    """A suffix that tells variants of one product apart."""
    parts = [
        f"{variant.routes} routes" if variant.routes else "",
        f"{variant.workers} workers" if variant.workers > 1 else "",
        "TLS" if variant.tls else "",
    ]
    said = ", ".join(part for part in parts if part)
    return f" ({said})" if said else ""


def start(stack: contextlib.ExitStack, product: Product, site: Site, on: Iterable[int]) -> Instance:
    """Write its files, start it on these cores, and wait until it serves. Raises BenchError."""
    plan = product.configure(site)
    process = launch(stack, plan, site, on)
    log = site.folder / "log"
    processes.await_listening(site.port, process, log)
    if site.variant.tls:
        _await_handshake(site.port, log)
    else:
        processes.await_answer(site.port, "/api/r0/0", log)
    return Instance(product, site, process)


def launch(
    stack: contextlib.ExitStack, plan: Plan, site: Site, on: Iterable[int]
) -> subprocess.Popen[bytes]:
    """Write a plan's files and run its command."""
    site.folder.mkdir(mode=0o755)
    for name, text in plan.files.items():
        (site.folder / name).write_text(text)
    if site.certificate is not None and site.key is not None:
        both = site.certificate.read_text() + site.key.read_text()
        (site.folder / "both.pem").write_text(both)
    found = processes.program(plan.command[0])
    if found is None:
        raise BenchError(f"{plan.command[0]} is not installed")
    command = [found, *plan.command[1:]]
    return stack.enter_context(processes.running(command, on, site.folder / "log", plan.env))


def certificate(folder: Path) -> Path:
    """Make one certificate for all products: ECDSA, P-256. Raises BenchError."""
    made = folder / "bench.crt"
    done = subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", str(made.with_suffix(".key")), "-out", str(made),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BenchError(f"openssl cannot make a certificate: {done.stderr[-300:]}")
    made.with_suffix(".key").chmod(0o644)
    return made


def _await_handshake(port: int, log: Path) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((processes.LOOPBACK, port), 10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as sock,
        ):
            sock.sendall(b"GET /api/r0/0 HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            said = sock.recv(4096)
    except OSError as error:
        raise BenchError(f"no TLS on port {port}: {error}; {processes.last_words(log)}") from error
    if said[9:12] != processes.HTTP_OK:
        raise BenchError(f"port {port} answers {said[:40]!r} over TLS")
