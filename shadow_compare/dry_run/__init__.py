"""For applications behind the proxy: carry mirrored writes out without effect.

    app.add_middleware(DryRunMiddleware, key=settings.cutover_shadow_key)   # the last, so outermost
    guard(engine)                                    # no transaction of a dry run is committed

and where something leaves the application:

    if recorded("mail", to=mail.to):
        return

docs/mirrored-writes.md has the whole story. Only `database` needs SQLAlchemy, and only `tasks`
Celery; nothing here needs the proxy.
"""

from shadow_compare.dry_run.middleware import DryRunMiddleware
from shadow_compare.dry_run.run import (
    DryRun,
    DryRunError,
    Effect,
    dry_run,
    effects,
    is_dry_run,
    recorded,
)

__all__ = [
    "DryRun",
    "DryRunError",
    "DryRunMiddleware",
    "Effect",
    "dry_run",
    "effects",
    "is_dry_run",
    "recorded",
]
