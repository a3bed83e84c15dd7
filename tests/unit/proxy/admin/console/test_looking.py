from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from proxy.admin.console.looking import PAGE, Looking, number
from proxy.admin.schemas import read_filters
from shadow_compare.report import Filters, State

QUERY = {
    "search": '  price   "29.00" ',
    "route": "plans",
    "kind": "type_changed",
    "state": "fixed",
    "since_version": "17",
    "critical": "1",
    "offset": "100",
}
WANTED = Filters("plans", State.FIXED, "type_changed", True, 17, 'price "29.00"')


def query_of(address: str) -> dict[str, str]:
    """Give the query of an address."""
    return dict(parse_qsl(urlsplit(address).query))


def test_an_address_says_what_is_looked_for() -> None:
    """All of it, and how many groups to leave out."""
    looking = Looking.read(QUERY)
    assert looking.filters == WANTED
    assert looking.offset == 100
    assert looking.is_narrow


def test_open_groups_are_looked_for_mostly() -> None:
    """All of them have to be asked for."""
    assert Looking.read({}).filters == Filters(state=State.OPEN)
    assert Looking.read({"state": "all"}).filters == Filters()
    assert not Looking.read({"route": "plans", "state": "all"}).is_narrow


@pytest.mark.parametrize("name", QUERY)
def test_nonsense_counts_as_not_given(name: str) -> None:
    """A mangled link shows something."""
    assert Looking.read({name: ""}).filters == Filters(state=State.OPEN)
    if name not in ("search", "route"):
        assert Looking.read({name: "nonsense \x00 ²"}) == Looking.read({})


def test_pages_keep_the_filters() -> None:
    """The addresses of earlier and further groups ask for the same, from elsewhere on."""
    looking = Looking.read(QUERY)
    assert Looking.read(query_of(looking.further)) == Looking(WANTED, 100 + PAGE)
    assert looking.earlier is not None
    assert Looking.read(query_of(looking.earlier)) == Looking(WANTED, 100 - PAGE)
    assert Looking.read({}).earlier is None
    assert Looking(Filters(state=State.OPEN), PAGE).earlier == "/differences"


@pytest.mark.parametrize("query", [QUERY, {}, {"state": "all"}])
def test_the_file_holds_what_the_page_shows(query: dict[str, str]) -> None:
    """The API is asked for the same groups, in its own spelling."""
    looking = Looking.read(query)
    asked = query_of(looking.export("csv"))
    assert asked["as"] == "csv"
    assert read_filters(asked) == looking.filters


@pytest.mark.parametrize(
    ("text", "found"), [("7", 7), ("", None), (None, None), ("\N{SUPERSCRIPT TWO}", None)]
)
def test_a_number_in_an_address(text: str | None, found: int | None) -> None:
    """Digits are one, and nothing else is."""
    assert number(text) == found
