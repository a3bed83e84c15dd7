"""What it means to be well."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Health:
    """Which dependencies answered in time."""

    database: bool
    redis: bool

    @property
    def is_healthy(self) -> bool:
        """Whether all of them did: an instance that lost one is worse than one that did not."""
        return self.database and self.redis
