from __future__ import annotations

from proxy.admin.console.jumping import MOST, PAGES, places
from tests.support_console import FakeController


def names(words: str) -> list[str]:
    """Give what is offered for these words; one route is rolled back."""
    found = places(tuple(FakeController().routes), words, lambda name: name == "billing.history")
    return [place.name for place in found]


def test_without_words_pages_are_offered() -> None:
    """Those that are there for everybody."""
    assert names("")[: len(PAGES)] == [page.name for page in PAGES]


def test_a_route_is_found_with_what_can_be_done_to_it() -> None:
    """The route itself first; one that is rolled back can be resumed."""
    assert names("billing") == ["billing.history", "Resume billing.history"]
    assert names("plans")[0] == "plans"
    assert "Roll back plans" in names("plans")


def test_words_may_come_in_any_order() -> None:
    """What was typed is in the name, each word of it."""
    assert names("plans back")[:1] == ["Roll back plans"]
    assert names("nowhere") == []


def test_no_more_than_can_be_seen() -> None:
    """However many routes there are."""
    assert len(places([f"r{n}" for n in range(500)], "r", lambda _: False)) == MOST
