from __future__ import annotations

from typing import Any

import pytest

from shadow_compare.capture import Capture
from shadow_compare.correspondence import Correspondence
from shadow_compare.normalize import NotComparableError
from shadow_compare.translate import Translated, Translation, translated
from tests.support_shadow import a_capture

FORM = (("host", "h"), ("content-type", "application/x-www-form-urlencoded"))
JSON = (("host", "h"), ("content-type", "application/json; charset=utf-8"))
PARTS = (("host", "h"), ("content-type", "multipart/form-data; boundary=x"))


@pytest.fixture
def pairs() -> Correspondence:
    """Give what is known: two users, whom modern calls otherwise, and one with an odd name."""
    known = Correspondence()
    known.learn("user", 981, "7f3a")
    known.learn("user", 982, "12")
    known.learn("user", 983, "a/b ?é")
    return known


def place(at: str, **more: Any) -> Translation:
    """Compile a place where users are named; one in the path is the third segment."""
    segment = 2 if at.startswith("path.") else None
    return Translation.build(at, "user", segment=segment, **more)


def asked(pairs: Correspondence, *places: Translation, side: str = "modern", **of: Any) -> Capture:
    """Give the request as the other side is asked it."""
    return translate(pairs, *places, side=side, **of).capture


def translate(
    pairs: Correspondence, *places: Translation, side: str = "modern", **of: Any
) -> Translated:
    """Translate a request."""
    return translated(a_capture(**of), side, places, pairs)


@pytest.mark.parametrize(
    ("at", "target", "expected"),
    [
        ("path.id", "/api/users/981", "/api/users/7f3a"),
        ("path.id", "/api/users/981/orders?x=981", "/api/users/7f3a/orders?x=981"),
        ("path.id", "/api/users/%39%381", "/api/users/7f3a"),
        ("path.id", "/api/users/983", "/api/users/a%2Fb%20%3F%C3%A9"),
        ("path.id", "/api/users", "/api/users"),
        ("path.id", "/api/users/", "/api/users/"),
        ("query.user_id", "/a?user_id=981&user_id=982", "/a?user_id=7f3a&user_id=12"),
        ("query.user_id", "/a?b=%20&user%5Fid=981&c", "/a?b=%20&user%5Fid=7f3a&c"),
        ("query.user_id", "/a?user_id=&user_id", "/a?user_id=&user_id"),
        ("query.ids[]", "/a?ids[]=981&ids%5B%5D=982", "/a?ids[]=7f3a&ids%5B%5D=12"),
        ("query.user_id", "/a", "/a"),
        ("query.user_id", "/a?x=981", "/a?x=981"),
    ],
)  # fmt: skip
def test_names_in_a_target_become_the_other_side_s(
    pairs: Correspondence, at: str, target: str, expected: str
) -> None:
    """Only the name itself changes, escaped as it has to be."""
    assert asked(pairs, place(at), target=target).target == expected


@pytest.mark.parametrize(
    ("at", "headers", "body", "expected"),
    [
        ("$.user", JSON, b'{"user": 981, "n": 1.50}', b'{"user": "7f3a", "n": 1.50}'),
        ("$.user", JSON, b'{"user": 982}', b'{"user": 12}'),
        ("$.user", JSON, b'{"user": "982"}', b'{"user": "12"}'),
        ("form.user", FORM, b"a=1&user=981", b"a=1&user=7f3a"),
        ("form.user", FORM, b"", b""),
        # of another kind: it has no such place
        ("form.user", JSON, b'{"user": 1}', b'{"user": 1}'),
        ("$.user", FORM, b"user=1", b"user=1"),
        ("$.user", JSON, b"\xff{", b"\xff{"),
    ],
)
def test_names_in_a_body_become_the_other_side_s(
    pairs: Correspondence, at: str, headers: Any, body: bytes, expected: bytes
) -> None:
    """A number stays one where it can, and the rest of the body stays byte for byte."""
    of = {"method": "POST", "request_headers": headers, "request_body": body}
    assert asked(pairs, place(at), **of).request_body == expected


def test_clients_of_modern_are_translated_for_legacy(pairs: Correspondence) -> None:
    """After the cutover it goes the other way round."""
    of = {"primary": "modern", "target": "/api/users/7f3a"}
    assert asked(pairs, place("path.id"), side="legacy", **of).target == "/api/users/981"


def test_the_primary_itself_is_asked_as_the_client_asked(pairs: Correspondence) -> None:
    """A second answer for the noise, or for the race guard, is an answer to the same request."""
    capture = a_capture(target="/api/users/5")
    assert translated(capture, "legacy", (place("path.id"),), pairs).capture is capture


def test_each_name_counts_for_the_rule_that_translated_it(pairs: Correspondence) -> None:
    """So that one can see which rule was needed, and how often."""
    found = translate(
        pairs, place("path.id"), place("query.u", as_is=True), target="/a/b/981?u=982&u=5"
    )
    assert found.fired == ("translate:path.id", "translate:query.u", "as_is:query.u")


@pytest.mark.parametrize("at", ["path.id", "query.user_id"])
def test_a_name_that_nobody_knows_is_not_compared(pairs: Correspondence, at: str) -> None:
    """The other side would be asked for another thing, or for none."""
    with pytest.raises(NotComparableError, match="unknown_id"):
        asked(pairs, place(at), target="/api/users/5?user_id=5")


def test_a_name_that_nobody_knows_can_be_sent_as_it_is(pairs: Correspondence) -> None:
    """Where most ids are the same, the exchange itself teaches it; if they are nobody else's."""
    unknown = place("path.id", as_is=True)
    assert asked(pairs, unknown, target="/api/users/5").target == "/api/users/5"
    assert asked(pairs, unknown, target="/api/users/981").target == "/api/users/7f3a"
    with pytest.raises(NotComparableError, match="unknown_id"):
        asked(pairs, unknown, target="/api/users/12")  # which is what modern calls 982


@pytest.mark.parametrize("more", [(("content-encoding", "gzip"),), ()])
def test_a_body_in_which_no_name_can_be_found_is_not_compared(
    pairs: Correspondence, more: Any
) -> None:
    """A packed body, or one in parts, may have the name that is declared."""
    headers = (*FORM, *more) if more else PARTS
    of: dict[str, Any] = {"method": "POST", "request_headers": headers, "request_body": b"..."}
    with pytest.raises(NotComparableError, match="unknown_id"):
        asked(pairs, place("form.user"), **of)
    assert asked(pairs, place("form.user", as_is=True), **of).request_body == b"..."


def test_a_name_of_which_only_a_hash_is_known_cannot_be_written(pairs: Correspondence) -> None:
    """A long token is compared, and never put into a request."""
    pairs.learn("user", 7, "t" * 500)
    with pytest.raises(NotComparableError, match="unknown_id"):
        asked(pairs, place("path.id", as_is=True), target="/api/users/7")


@pytest.mark.parametrize("name", [".", "..", "\ud800"])
def test_a_name_that_would_make_another_path_is_not_written(
    pairs: Correspondence, name: str
) -> None:
    """Whatever an application answers, it cannot choose what is asked next."""
    pairs.learn("user", 8, name)
    with pytest.raises(NotComparableError, match="unknown_id"):
        asked(pairs, place("path.id"), target="/api/users/8")


@pytest.mark.parametrize("at", ["", "id", "path.", "path.ID", "headers.x", "query.", "$.a..b"])
def test_what_is_no_place_is_refused(at: str) -> None:
    """A mistake is told when the rules are read."""
    with pytest.raises(ValueError, match=r"place|path"):
        Translation.build(at, "user", segment=0)


def test_a_place_in_the_path_needs_its_segment() -> None:
    """Only the route's pattern tells which one has that name."""
    with pytest.raises(ValueError, match="which segment"):
        Translation.build("path.id", "user")
