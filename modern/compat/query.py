"""What the query string of a list asks for."""

from dataclasses import dataclass

from modern.compat.envelope import PER_PAGE
from modern.compat.php import is_digits, parse_pairs, row_id
from modern.errors import Invalid
from modern.subscriptions.domain import Filter, Status

_MOST_DIGITS_OF_A_PAGE = 9


class Query:
    """A query string as PHP reads it: a parameter that is missing or no text is ''."""

    def __init__(self, encoded: str) -> None:
        self._values = parse_pairs(encoded)

    def text(self, name: str) -> str:
        """Return the text of a parameter."""
        value = self._values.get(name)
        return value if isinstance(value, str) else ""

    @property
    def page(self) -> int:
        """The page asked for; whatever is not a positive whole number is the first."""
        page = self.text("page")
        return max(1, int(page)) if is_digits(page) and len(page) <= _MOST_DIGITS_OF_A_PAGE else 1

    @property
    def offset(self) -> int:
        """How many rows come before the page asked for."""
        return (self.page - 1) * PER_PAGE


@dataclass(frozen=True, slots=True)
class WantedSubscriptions:
    """Which subscriptions a list is to hold: `filters` as they were given, `where` as understood.

    `where` is None when a filter is beyond understanding and so nothing matches.
    """

    filters: dict[str, str]
    where: Filter | None


def wanted_subscriptions(query: Query) -> WantedSubscriptions:
    """Read the filters of the list of subscriptions."""
    user_id, status = query.text("user_id"), query.text("status")
    given = {"user_id": user_id, "status": status}
    filters = {name: value for name, value in given.items() if value}
    impossible = (user_id and not is_digits(user_id)) or (status and status not in set(Status))
    where = Filter(
        user_id=row_id(user_id) if is_digits(user_id) else None,
        status=Status(status) if status in set(Status) else None,
    )
    return WantedSubscriptions(filters, None if impossible else where)


def wanted_history(query: Query) -> int:
    """Return the user whose charges are asked for; raises Invalid without one."""
    user_id = query.text("user_id")
    if not is_digits(user_id):
        raise Invalid({"user_id": "required"})
    return row_id(user_id)
