from __future__ import annotations

from proxy.admin.console.attention import by_attention
from proxy.admin.console.browsing import PAGE, Browsing, browse
from tests.support_console import FakeController, route

STATUS = FakeController().status()
JUDGED = by_attention(STATUS.routes)


def ids(query: dict[str, str]) -> list[str]:
    """Give the ids of the routes that an address shows."""
    return [route.id for route, _ in browse(JUDGED, Browsing.read(query)).rows]


def test_all_are_shown_in_the_order_of_attention() -> None:
    """What needs somebody comes first."""
    assert ids({})[:2] == ["billing.history", "subscriptions.list"]
    assert len(ids({})) == 7


def test_words_are_looked_for_in_id_path_method_and_phase() -> None:
    """All of them, whatever their case."""
    assert ids({"q": "subscr POST"}) == ["subscriptions.create"]
    assert ids({"q": "CANARY api"}) == ["subscriptions.list", "plans"]
    assert ids({"q": "nothing like it"}) == []


def test_a_level_is_chosen_and_all_are_counted() -> None:
    """The counts are of what the words leave."""
    found = browse(JUDGED, Browsing.read({"show": "act"}))
    assert [route.id for route, _ in found.rows] == ["billing.history"]
    assert found.counts[""] == 7
    assert browse(JUDGED, Browsing.read({"q": "plans"})).counts["act"] == 0


def test_pages_are_bounded() -> None:
    """A page too far is the last one; what is no number is the first."""
    many = by_attention([route(f"r{n}") for n in range(2 * PAGE + 1)])
    last = browse(many, Browsing.read({"page": "99"}))
    assert (last.page, last.pages, len(last.rows)) == (3, 3, 1)
    assert browse(many, Browsing.read({"page": "x"})).page == 1
    assert browse([], Browsing.read({})).pages == 1


def test_addresses_keep_what_was_asked_for() -> None:
    """A page of a filter; any other change begins at the first page."""
    asked = Browsing.read({"q": "a&b", "show": "look", "page": "2"})
    assert asked.address(page=3) == "/?q=a%26b&show=look&page=3"
    assert asked.address(show="") == "/?q=a%26b"
    assert Browsing.read({}).address() == "/"
