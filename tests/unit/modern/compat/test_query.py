import pytest

from modern.compat.query import Query, wanted_history, wanted_subscriptions
from modern.errors import Invalid
from modern.subscriptions.domain import Filter, Status


@pytest.mark.parametrize(
    ("encoded", "page"),
    [
        ("", 1),
        ("page=3", 3),
        ("page=003", 3),
        ("page=0", 1),
        ("page=-2", 1),
        ("page=two", 1),
        ("page=1.5", 1),
        ("page=", 1),
        ("page[]=3", 1),
        ("page=999999999", 999_999_999),
        ("page=1000000000", 1),
    ],
)
def test_a_page_that_is_no_positive_number_is_the_first(encoded: str, page: int) -> None:
    """No page is an error."""
    assert Query(encoded).page == page


def test_pages_have_twenty_rows() -> None:
    """The third page begins after forty rows."""
    assert Query("page=3").offset == 40


@pytest.mark.parametrize(
    ("encoded", "filters", "where"),
    [
        ("", {}, Filter()),
        ("user_id=17", {"user_id": "17"}, Filter(user_id=17)),
        ("user_id=0017", {"user_id": "0017"}, Filter(user_id=17)),
        ("user_id=99999999999", {"user_id": "99999999999"}, Filter(user_id=0)),
        ("status=active", {"status": "active"}, Filter(status=Status.ACTIVE)),
        (
            "status=past_due&user_id=1",
            {"user_id": "1", "status": "past_due"},
            Filter(user_id=1, status=Status.PAST_DUE),
        ),
        ("user_id=&status=", {}, Filter()),
        ("user_id[]=17", {}, Filter()),
        ("user_id=x", {"user_id": "x"}, None),
        ("user_id=-1", {"user_id": "-1"}, None),
        ("status=ACTIVE", {"status": "ACTIVE"}, None),
        ("status=a%00b", {"status": "a\0b"}, None),
    ],
)
def test_filters_are_repeated_as_given_and_understood_strictly(
    encoded: str, filters: dict[str, str], where: Filter | None
) -> None:
    """A filter beyond understanding matches nothing; an empty one is not given."""
    wanted = wanted_subscriptions(Query(encoded))
    assert (wanted.filters, wanted.where) == (filters, where)
    assert list(wanted.filters) == sorted(wanted.filters, reverse=True)


def test_a_history_is_somebodys() -> None:
    """The user comes as digits."""
    assert wanted_history(Query("user_id=17")) == 17


@pytest.mark.parametrize("encoded", ["", "user_id=", "user_id=x", "user_id=-1", "user_id[]=1"])
def test_nobodys_history_is_refused(encoded: str) -> None:
    """Without digits there is nobody to look for."""
    with pytest.raises(Invalid) as refusal:
        wanted_history(Query(encoded))
    assert refusal.value.errors == {"user_id": "required"}
