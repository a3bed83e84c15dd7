"""Passwords and keys of one stack: made once, kept in a file that only its owner reads."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

_NAMES = (
    "mariadb_root",
    "legacy_db",
    "postgres",
    "modern_db",
    "secret_key",
    "shadow_key",
    "processor_legacy",
    "processor_modern",
)


def load_or_create(path: Path) -> dict[str, str]:
    """Return the secrets of the stack by name, making those that are not there yet."""
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = [name for name in _NAMES if name not in known]
    if missing:
        known |= {name: secrets.token_urlsafe(24) for name in missing}
        _write_private(path, json.dumps(known, indent=1) + "\n")
    return known


def _write_private(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
