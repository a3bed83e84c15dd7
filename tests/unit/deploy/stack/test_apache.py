from __future__ import annotations

from pathlib import Path

import pytest

from deploy.stack.apache import Apache
from deploy.stack.database import Database

_DATABASE = Database("mysql", "127.0.0.1", 13306, "legacy_billing", "legacy", "s3cret")


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Give the text of a configuration."""
    return Apache(tmp_path, 8081, _DATABASE, ("127.0.0.1", 16379)).config(Path("/srv/legacy"))


@pytest.mark.parametrize(
    "line",
    [
        "Listen 127.0.0.1:8081",
        'SetEnv LEGACY_DB_HOST "127.0.0.1"',
        'SetEnv LEGACY_DB_PORT "13306"',
        'SetEnv LEGACY_DB_NAME "legacy_billing"',
        'SetEnv LEGACY_DB_USER "legacy"',
        'SetEnv LEGACY_DB_PASSWORD "s3cret"',
        'SetEnv LEGACY_REDIS_HOST "127.0.0.1"',
        'SetEnv LEGACY_REDIS_PORT "16379"',
        "php_value session.save_handler redis",
        "RewriteRule ^ /index.php [PT]",
        "KeepAlive On",
        "TraceEnable Off",
    ],
)
def test_the_configuration_says(config: str, line: str) -> None:
    """Addresses, credentials, sessions and the single entry point are in the configuration."""
    assert line in config.splitlines()
