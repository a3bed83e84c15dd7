"""Reading the file that `--alerts` names."""

from __future__ import annotations

import logging
from pathlib import Path

from proxy.control.alerts.targets import Alerting, read_alerting
from proxy.errors import SettingsError

log = logging.getLogger(__name__)


def load_alerting(path: Path) -> Alerting:
    """Read it; raises SettingsError when it cannot be read, RulesError when it is wrong."""
    try:
        if path.stat().st_mode & 0o077:
            log.warning("%s holds secrets and can be read by other users: chmod 600", path)
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"--alerts {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"--alerts {path}: is not UTF-8") from error
    return read_alerting(text, str(path))
