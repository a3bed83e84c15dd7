"""Reading stored records for a page that must come up without them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import TypeVar

from proxy.errors import NotFoundError

T = TypeVar("T")

_log = logging.getLogger(__name__)


async def read(asked: Awaitable[T]) -> T | None:
    """Read stored records, or None when they cannot be read.

    A page about live traffic must come up when the disk is full: every failure of the store but a
    missing record is logged here, and the page says what it could not show.
    """
    try:
        return await asked
    except NotFoundError:
        raise
    except Exception:
        _log.exception("cannot read records for a page of the console")
        return None
