from __future__ import annotations

import pytest

from proxy.admin import schemas
from proxy.admin.problems import ProblemError
from proxy.admin.schemas import Page, RequestToExplain


def test_a_weight_change_takes_numbers_and_text() -> None:
    """10 and "10%" mean the same."""
    for weight in (b"10", b"10.0", b'"10%"'):
        wanted = schemas.read_weight_change(b'{"weight": %b, "reason": "step"}' % weight)
        assert (wanted.weight, wanted.author, wanted.reason) == (1000, "api", "step")


def test_a_resumption_needs_only_a_reason() -> None:
    """Without a weight the configured one counts; force is never the default."""
    assert schemas.read_resumption(b'{"reason": "fixed"}') == schemas.Resumption(
        None, False, "api", "fixed"
    )
    body = b'{"reason": "fixed", "weight": "1%", "force": true, "author": "ada"}'
    assert schemas.read_resumption(body) == schemas.Resumption(100, True, "ada", "fixed")


def test_the_kill_switch_must_say_on_or_off() -> None:
    """A missing `on` could mean either, so it means neither."""
    assert schemas.read_kill_switch(b'{"on": true, "reason": "x"}').on
    with pytest.raises(ProblemError, match="on: must be true or false"):
        schemas.read_kill_switch(b'{"reason": "x"}')


def test_a_change_is_author_and_reason() -> None:
    """Surrounding blanks are not part of either."""
    wanted = schemas.read_change(b'{"reason": " why ", "author": "ada"}')
    assert (wanted.author, wanted.reason) == ("ada", "why")


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ({}, Page()),
        ({"limit": "1", "before": "17"}, Page(1, 17)),
        ({"limit": "500", "offset": "20"}, Page(500, None, 20)),
    ],
)
def test_a_page_is_read_from_the_query(query: dict[str, str], page: Page) -> None:
    """Missing parameters have their defaults."""
    assert schemas.read_page(query) == page


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "501"}, {"limit": "x"}, {"before": "-1"}, {"offset": "1e3"}]
)
def test_a_page_outside_its_bounds_is_refused(query: dict[str, str]) -> None:
    """Nobody gets a page they did not ask for."""
    with pytest.raises(ProblemError, match="is not a whole number"):
        schemas.read_page(query)


def test_flags_and_times_of_a_query() -> None:
    """Times are RFC 3339 or seconds; a time without a zone is UTC."""
    assert schemas.read_flag({}, "critical") is None
    assert schemas.read_flag({"critical": "true"}, "critical") is True
    assert schemas.read_flag({"critical": "false"}, "critical") is False
    assert schemas.read_since({}) is None
    assert schemas.read_since({"since": "1790000000"}) == 1_790_000_000.0
    assert schemas.read_since({"since": "2026-09-21T14:13:20Z"}) == 1_790_000_000.0
    assert schemas.read_since({"since": "2026-09-21T14:13:20"}) == 1_790_000_000.0
    with pytest.raises(ProblemError, match="neither true nor false"):
        schemas.read_flag({"critical": "1"}, "critical")
    with pytest.raises(ProblemError, match="is not a time"):
        schemas.read_since({"since": "yesterday"})


@pytest.mark.parametrize(
    ("request_", "where"),
    [
        (RequestToExplain("GE T", "/"), "method"),
        (RequestToExplain("GET", "api/plans"), "target"),
        (RequestToExplain("GET", "/a b"), "target"),
        (RequestToExplain("GET", "/" + "a" * 9000), "target"),
        (RequestToExplain("GET", "/a HTTP/1.1\r\nX: y"), "target"),
        (RequestToExplain("GET", "/", (("A\r\nB", "1"),)), "headers"),
        (RequestToExplain("GET", "/", (("A", "1\r\nB: 2"),)), "headers"),
        (RequestToExplain("GET", "/", (("A", "\u20ac"),)), "headers"),
        (RequestToExplain("GET", "/", (("A", "1"),) * 101), "headers"),
        (RequestToExplain("GET", "/", (), "localhost"), "client_ip"),
    ],
)
def test_a_request_to_explain_is_one_a_client_could_send(
    request_: RequestToExplain, where: str
) -> None:
    """Nothing can be smuggled into the head that is built from it."""
    assert [trouble.where for trouble in schemas.request_troubles(request_)] == [where]


def test_a_request_to_explain_has_sensible_defaults() -> None:
    """A target is enough."""
    request = schemas.read_request_to_explain(b'{"target": "/api/plans"}')
    assert request == RequestToExplain("GET", "/api/plans", (), "127.0.0.1")


def test_an_owner_of_blanks_is_none() -> None:
    """The rules could not be written with one: the schema takes blanks for no text."""
    body = b'{"reason": "clock", "until": "2999-12-31", "owner": "  "}'
    assert (schemas.read_acceptance(body).owner, schemas.read_adoption(body).owner) == ("", "")
