"""Sending jobs: a hint that something can be done now, for workers to take from Redis."""

import asyncio
from typing import Any

from kombu.exceptions import OperationalError

from modern.infra.logging import get_logger
from modern.infra.redis import ANSWER_SECONDS, CONNECT_SECONDS
from modern.infra.settings import Settings
from shadow_compare.dry_run.tasks import DryRunCelery

# PHP keeps its sessions in the same Redis: nothing of ours without our prefix.
PREFIX = "billing:jobs:"

_log = get_logger(__name__)


def broker(settings: Settings) -> dict[str, Any]:
    """Return where jobs are sent to and taken from, for Celery."""
    return {
        "broker_url": settings.redis_url.get_secret_value(),
        "broker_transport_options": {"global_keyprefix": PREFIX},
        "task_ignore_result": True,
        "timezone": "UTC",
    }


class Queue:
    """Sends jobs by name. One that cannot be sent is done all the same, when beat asks for it."""

    def __init__(self, settings: Settings) -> None:
        self._celery = DryRunCelery("billing", set_as_current=False)
        self._celery.conf.update(broker(settings))
        self._celery.conf.broker_transport_options |= {
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": ANSWER_SECONDS,
        }

    async def send(self, name: str) -> None:
        """Send a job, in a thread: the broker's client blocks. Nothing is sent in a dry run."""
        try:
            await asyncio.to_thread(self._celery.send_task, name, retry=False)
        except OperationalError as error:
            _log.warning("job.not_sent", name=name, error=repr(error))

    def close(self) -> None:
        """Close every connection."""
        self._celery.close()
