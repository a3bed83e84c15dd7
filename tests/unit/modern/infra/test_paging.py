import pytest
from pydantic import BaseModel
from starlette.requests import Request

from modern.infra.paging import first_of, page_of


class Thing(BaseModel):
    """Something to list."""

    id: int


def request(query: str) -> Request:
    """Make a request for a list."""
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/v1/things",
            "query_string": query.encode(),
            "headers": [(b"host", b"billing.example")],
        }
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [([], ([], False)), ([1, 2], ([1, 2], False)), ([1, 2, 3], ([1, 2], True))],
)
def test_one_row_too_many_says_that_there_are_more(
    rows: list[int], expected: tuple[list[int], bool]
) -> None:
    """No count is needed to know whether a page is the last."""
    assert first_of(rows, 2) == expected


def test_the_last_page_has_no_next() -> None:
    """There is nothing after the end."""
    page = page_of(request("limit=2"), [Thing(id=1)], None)
    assert page.model_dump() == {"items": [{"id": 1}], "next": None}


def test_the_next_page_is_the_same_request_from_the_cursor_on() -> None:
    """Filters and limit are kept, the old cursor is replaced, and no host is promised."""
    page = page_of(request("status=active&after=5&limit=2"), [Thing(id=7)], {"after": 7})
    assert page.next == "/v1/things?status=active&limit=2&after=7"
