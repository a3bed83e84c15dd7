"""Users: who subscribes and is billed."""
