"""Pages of the clean API: by the last id seen, so that rows that come or go shift nothing."""

from typing import TypeVar

from starlette.requests import Request

from modern.infra.schemas import Item, Page

Row = TypeVar("Row")


def first_of(rows: list[Row], limit: int) -> tuple[list[Row], bool]:
    """Return the first `limit` rows and whether there were more: ask for one more than wanted."""
    return rows[:limit], len(rows) > limit


def page_of(request: Request, items: list[Item], cursor: dict[str, int] | None) -> Page[Item]:
    """Return a page whose `next` is the same request from the cursor on; None means the end."""
    if cursor is None:
        return Page(items=items, next=None)
    following = request.url.include_query_params(**cursor)
    return Page(items=items, next=f"{following.path}?{following.query}")
