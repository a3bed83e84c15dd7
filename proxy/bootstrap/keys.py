"""What the processes of one installation know, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from secrets import token_hex
from typing import Self

from proxy.bootstrap.paths import StatePaths
from proxy.settings import OVERRIDE_KEY, SHADOW_KEY, ServeSettings, read_override_key
from shadow_compare.config import KEY_BYTES, key_at


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs minted identities, overrides and mirrored writes."""

    mint: bytes
    override: bytes
    write: bytes

    @property
    def digest(self) -> str:
        """Tells whether two installations have the same keys, and nothing of what they are."""
        whole = b"".join(blake2b(key).digest() for key in (self.mint, self.override, self.write))
        return blake2b(whole, digest_size=8, person=b"cutover keys").hexdigest()

    @classmethod
    def of(cls, settings: ServeSettings, paths: StatePaths) -> Self:
        """Read the keys, which are made at the first start; raises SettingsError."""
        return cls(key_at(paths.mint_key), _override_key(paths), _write_key(settings, paths))


def _override_key(paths: StatePaths) -> bytes:
    key_at(paths.state / OVERRIDE_KEY)
    return read_override_key(paths.state)


def _write_key(settings: ServeSettings, paths: StatePaths) -> bytes:
    """Give the key of mirrored writes, which is a text, as the application is told it, too."""
    if settings.shadow_key is not None:
        return settings.shadow_key.encode()
    return key_at(paths.state / SHADOW_KEY, lambda: token_hex(KEY_BYTES).encode())
