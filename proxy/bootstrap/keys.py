"""What the processes of one installation know, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_hex
from typing import Self

from proxy.bootstrap.paths import REDACTION_KEY, StatePaths
from proxy.control.hosts.fingerprint import FIRST, fingerprint
from proxy.settings import OVERRIDE_KEY, SHADOW_KEY, ServeSettings, read_override_key
from shadow_compare.config import KEY_BYTES, key_at


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs minted identities, overrides and mirrored writes, and makes placeholders."""

    mint: bytes
    override: bytes
    write: bytes
    redaction: bytes

    @property
    def fingerprint(self) -> str:
        """Tells which keys two hosts have in common, and nothing of what they are."""
        return fingerprint(
            {
                FIRST: self.mint,
                OVERRIDE_KEY: self.override,
                SHADOW_KEY: self.write,
                REDACTION_KEY: self.redaction,
            }
        )

    @classmethod
    def of(cls, settings: ServeSettings, paths: StatePaths) -> Self:
        """Read the keys, which are made at the first start; raises SettingsError."""
        return cls(
            key_at(paths.mint_key),
            _override_key(paths),
            _write_key(settings, paths),
            key_at(paths.redaction_key),
        )


def _override_key(paths: StatePaths) -> bytes:
    key_at(paths.state / OVERRIDE_KEY)
    return read_override_key(paths.state)


def _write_key(settings: ServeSettings, paths: StatePaths) -> bytes:
    """Give the key of mirrored writes, which is a text, as the application is told it, too."""
    if settings.shadow_key is not None:
        return settings.shadow_key.encode()
    return key_at(paths.state / SHADOW_KEY, lambda: token_hex(KEY_BYTES).encode())
