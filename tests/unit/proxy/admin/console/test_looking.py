from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from proxy.admin.console.looking import Looking, number
from proxy.admin.schemas import read_filters
from shadow_compare.report import Cursor, Filters, State
from tests.support_console import summary

QUERY = {
    "search": '  price   "29.00" ',
    "route": "plans",
    "kind": "type_changed",
    "state": "fixed",
    "since_version": "17",
    "critical": "1",
    "after": "1.412.9f1c2ab4d0e17735",
}
WANTED = Filters("plans", State.FIXED, "type_changed", True, 17, 'price "29.00"')


def query_of(address: str) -> dict[str, str]:
    """Give the query of an address."""
    return dict(parse_qsl(urlsplit(address).query))


def test_an_address_says_what_is_looked_for() -> None:
    """All of it, and after which group the page begins."""
    looking = Looking.read(QUERY)
    assert looking.filters == WANTED
    assert looking.after == Cursor(critical=True, count=412, id="9f1c2ab4d0e17735")
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
    """The addresses of first and further groups, and of a decision, ask for the same."""
    looking = Looking.read(QUERY)
    last = summary("47aa10f3c2b9d811", critical=False, count=14)
    further = Looking.read(query_of(looking.further(last)))
    assert further == Looking(WANTED, Cursor(critical=False, count=14, id="47aa10f3c2b9d811"))
    assert Looking.read(query_of(looking.first)) == Looking(WANTED)
    assert Looking.read(query_of(looking.address)) == looking
    assert Looking.read(query_of(looking.decide)) == looking
    assert Looking.read({}).address == "/differences"


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
