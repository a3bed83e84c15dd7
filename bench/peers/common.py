"""What both proxies share: their options, and the fields that do not pass."""

from __future__ import annotations

import argparse
import ssl
from pathlib import Path

HOP_BY_HOP = frozenset(
    (
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "te", "trailer",
        "proxy-authorization", "transfer-encoding", "upgrade",
    )
)  # fmt: skip


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--origin", required=True)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--access-log", type=Path)
    return parser.parse_args()


def server_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """The TLS of the listener, if one is asked for."""
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
