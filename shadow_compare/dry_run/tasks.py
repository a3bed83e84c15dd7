"""Celery in a dry run: tasks are recorded instead of sent."""

from __future__ import annotations

from typing import Any

from celery import Celery, states, uuid
from celery.result import EagerResult

from shadow_compare.dry_run.run import recorded


class DryRunCelery(Celery):  # type: ignore[misc] # Celery ships no types
    """A Celery application whose dry runs send nothing, by `delay`, `apply_async` or by name.

    What a caller gets instead is a result that stays pending.
    """

    def send_task(
        self, name: str, args: Any = None, kwargs: Any = None, *others: Any, **options: Any
    ) -> Any:
        """Send a task, or record it."""
        if recorded("task", name=name, args=args, kwargs=kwargs):
            return EagerResult(options.get("task_id") or uuid(), None, states.PENDING)
        return super().send_task(name, args, kwargs, *others, **options)
