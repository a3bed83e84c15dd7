from __future__ import annotations

import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.budget import Budget
from shadow_compare.headers import compare_headers
from shadow_compare.json_value import Json
from shadow_compare.normalize import Content
from shadow_compare.paths import Aspect, Element, Label, Path, parse_pattern
from shadow_compare.redact import TEXT_MAX, Redactor
from shadow_compare.rules import CompareRules
from shadow_compare.structure import Walk

REDACTOR = Redactor(b"key")
CARD = "4111 1111 1111 1111"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxNyJ9.c2lnbmF0dXJl"


def test_same_secret_gives_the_same_placeholder_under_one_key() -> None:
    """Grouping and search work on placeholders; another key gives others."""
    assert REDACTOR.placeholder("s") == REDACTOR.placeholder("s")
    assert REDACTOR.placeholder("s") != REDACTOR.placeholder("t")
    assert REDACTOR.placeholder("s") != Redactor(b"other").placeholder("s")
    assert REDACTOR.placeholder("\ud800").startswith("[redacted ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization", "Bearer hunter2hunter2"),
        ("Proxy-Authorization", "hunter2"),
        ("x-api-key", "hunter2"),
        ("x-csrf-token", "hunter2"),
        ("cookie", "a=hunter2; PHPSESSID=hunter2"),
        ("set-cookie", "PHPSESSID=hunter2; Path=/; HttpOnly"),
        ("location", "/reset?token=hunter2"),
        ("referer", f"https://shop.example/?x={JWT}"),
    ],
)
def test_headers_lose_their_secrets(name: str, value: str) -> None:
    """No header that opens something keeps its value."""
    ((_, redacted),) = REDACTOR.headers(((name, value),))
    assert "hunter2" not in redacted
    assert JWT not in redacted
    assert "[redacted " in redacted


def test_cookies_keep_what_is_needed_to_understand_them() -> None:
    """Names and attributes of cookies stay."""
    found = dict(REDACTOR.headers((("cookie", "a=1; b=2"), ("set-cookie", "S=1; Path=/; Secure"))))
    secret = REDACTOR.placeholder("1")
    assert found["cookie"] == f"a={secret}; b={REDACTOR.placeholder('2')}"
    assert found["set-cookie"] == f"S={secret}; Path=/; Secure"


@given(pieces=st.lists(st.text(st.sampled_from("hunter2 "), min_size=3), min_size=1))
def test_no_part_of_a_cookie_is_shown_that_browsers_take_for_its_value(pieces: list[str]) -> None:
    """Neither without a name, nor behind a semicolon, which ends a value also within quotes."""
    pieces = [f"hunter2{piece}" for piece in pieces]
    for written in (";".join(pieces), f'S="{"; ".join(pieces)}"', f"S={pieces[0]};x={pieces[0]}"):
        headers = (("cookie", written), ("set-cookie", f"{written}; Path=/app; Secure"))
        shown = dict(REDACTOR.headers(headers))
        assert "hunter2" not in str(shown)
        assert "Path=/app; Secure" in shown["set-cookie"]
        walk = Walk(CompareRules(), date(2026, 3, 1), Budget())
        compare_headers(walk, headers, ())
        ((difference),) = walk.findings.differences
        assert "hunter2" not in str(REDACTOR.value(difference.old, difference.path))


@pytest.mark.parametrize(
    ("value", "path", "shown"),
    [
        (True, ("S", "httponly"), True),
        ("lax", ("S", "samesite"), "lax"),
        ("/app", ("S", "path"), "/app"),
        (f"/{JWT}", ("S", "path"), f"/{REDACTOR.placeholder(JWT)}"),
        (["token=1"], ("S", "other"), [REDACTOR.placeholder("token=1")]),
        ("token=1", ("S", "other", 0), REDACTOR.placeholder("token=1")),
        ({"path": "/", "secure": True}, ("session_id",), {"path": "/", "secure": True}),
        ({"S": [{"path": "/"}, {}]}, (), {"S": [{"path": "/"}, {}]}),
        (2, ("S", Aspect.LENGTH), 2),
    ],
)
def test_an_operator_sees_which_attribute_of_a_cookie_was_lost(
    value: Json, path: Path, shown: Json
) -> None:
    """What is compared of cookies holds no values of theirs, unless the server made up a field."""
    assert REDACTOR.value(value, ("headers", "set-cookie", *path)) == shown


def test_an_attribute_is_hidden_where_that_is_declared() -> None:
    """For instance a path that names a customer."""
    hidden = REDACTOR.placeholder("/app")
    redactor = declaring("headers.set-cookie.S.path")
    at: Path = ("headers", "set-cookie", "S")
    assert redactor.value("/app", (*at, "path")) == hidden
    assert redactor.value({"path": "/app", "secure": True}, at) == {"path": hidden, "secure": True}


def test_plain_headers_stay() -> None:
    """What is no secret is kept as it is."""
    headers = (("accept", "application/json"), ("content-type", "text/html; charset=utf-8"))
    assert REDACTOR.headers(headers) == headers


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("/api/plans", "/api/plans"),
        ("/api/subscriptions?user_id=17&page=2", "/api/subscriptions?user_id=17&page=2"),
        ("/a?q=%7Ex&empty=&flag", "/a?q=%7Ex&empty=&flag"),
        ("/a?token=abc&page=2", f"/a?token={REDACTOR.placeholder('abc')}&page=2"),
        ("/a?pass%77ord=abc", f"/a?pass%77ord={REDACTOR.placeholder('abc')}"),
        ("/a?user[password]=a%20b", f"/a?user[password]={REDACTOR.placeholder('a b')}"),
    ],
)
def test_targets_lose_the_secrets_of_their_query(target: str, kept: str) -> None:
    """Only what is secret is touched; everything else stays byte for byte."""
    assert REDACTOR.target(target) == kept


@pytest.mark.parametrize(
    "body",
    [
        b'{"password":"hunter2"}',
        b'{"Password_confirmation":"hunter2"}',
        b'{"user":{"api_key":"hunter2"}}',
        b'{"tokens":["hunter2"]}',
        b'{"token":{"value":"hunter2"}}',
        b'{"pass\\u0077ord":"hunter2"}',
        b'[{"cvv":"hunter2"},{"iban":"hunter2"}]',
        b'{"note":"Bearer hunter2hunter2"}',
        b'broken {"password": "hunter2"',
        b"password=hunter2 and more",
    ],
)
def test_json_bodies_lose_their_secrets(body: bytes) -> None:
    """Members whose name says so are hidden, at any depth, in any spelling, in broken JSON too."""
    text = REDACTOR.body(body, Content.JSON)
    assert "hunter2" not in text
    assert "[redacted " in text


@pytest.mark.parametrize(
    "body",
    [
        '{"price":9.90,"name":"Zoë","url":"\\/a"}',
        '{"password":null,"has_token":true}',
        '{"bypass":"x","compass":"y","spinner":1}',
        '{"id":1234567890123456,"at":"2026-03-01 10:00:00","phone":"+49 30 1234567"}',
    ],
)
def test_bodies_without_secrets_stay_as_they_are(body: str) -> None:
    """Nothing is rewritten when there is nothing to hide."""
    assert REDACTOR.body(body.encode(), Content.JSON) == body


def test_hiding_one_member_keeps_the_others_exact() -> None:
    """Numbers keep their scale beside a hidden member."""
    secret = REDACTOR.placeholder("x")
    text = REDACTOR.body(b'{"price":9.90,"secret":"x"}', Content.JSON)
    assert text == f'{{"price":9.90,"secret":"{secret}"}}'


@pytest.mark.parametrize(
    "card", [CARD, CARD.replace(" ", ""), CARD.replace(" ", "-"), "378282246310005"]
)
def test_card_numbers_are_hidden_wherever_they_stand(card: str) -> None:
    """A number that passes for a card is hidden, in one spelling as in the other."""
    text = REDACTOR.text(f"paid with {card} today")
    assert card not in text
    assert REDACTOR.placeholder(card.replace(" ", "").replace("-", "")) in text


def test_card_number_as_json_number_is_hidden() -> None:
    """A card is a card without quotation marks too."""
    assert "4111" not in REDACTOR.body(b'{"n":4111111111111111}', Content.JSON)


@pytest.mark.parametrize(
    "number", ["4111111111111112", "1234567890123", "2026-03-01 10:00:00", "0000000000000000"]
)
def test_other_numbers_stay(number: str) -> None:
    """What fails the check digit, or starts as no card does, is kept."""
    assert REDACTOR.text(number) == number


def test_forms_lose_their_secrets() -> None:
    """Fields of a form, urlencoded or in parts, are treated as members are."""
    kind = "application/x-www-form-urlencoded"
    text = REDACTOR.body(b"email=a%40b.c&password=hunter2", Content.TEXT, kind)
    assert text == f"email=a%40b.c&password={REDACTOR.placeholder('hunter2')}"
    parts = (
        b'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n'
        b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\na@b.c\r\n--x--\r\n'
    )
    text = REDACTOR.body(parts, Content.BYTES, "multipart/form-data")
    assert "hunter2" not in text
    assert "a@b.c" in text


def test_text_loses_what_looks_like_an_assignment() -> None:
    """Pages are searched for names of secrets with a value."""
    page = b"<input name='x' value='1'> api_key: abcdef, page=2"
    text = REDACTOR.body(page, Content.TEXT, "text/html")
    assert "abcdef" not in text
    assert "page=2" in text


def test_bytes_are_kept_as_their_digest() -> None:
    """Of an image nothing is kept but its size and a keyed hash."""
    assert REDACTOR.body(b"\x89PNG", Content.BYTES).startswith("[4 bytes ")
    assert REDACTOR.body(b"", Content.BYTES) == ""


def test_hostile_text_takes_no_time() -> None:
    """Long runs that patterns could try again and again are cut first."""
    kinds = ("multipart/form-data", "application/x-www-form-urlencoded", "text/html")
    pieces = (b"a", b" ", b"1 ", b'"', b"=", b"-eyJaaaaaaaa", b"a.b", b'name="', b"\r\n--")
    for piece, kind in itertools.product(pieces, kinds):
        text = REDACTOR.body(piece * (1024 * 1024 // len(piece)), Content.TEXT, kind)
        assert len(text) <= 40 * TEXT_MAX


@pytest.mark.parametrize(
    ("value", "path", "hidden"),
    [
        ("x", ("$", "user", "password"), True),
        ({"a": 1}, ("$", "secret"), True),
        (5, ("$", "tokens", 0), True),
        ("x", ("$", "name"), False),
        (None, ("$", "password"), False),
        ({"name": "a"}, ("$", "user"), False),
        ("t0k", ("html", "form", Label("#login"), "input", Label("csrf"), "value"), True),
        ("Ann", ("html", "form", Label("#login"), "input", Label("user"), "value"), False),
    ],
)
def test_values_are_hidden_by_where_they_stand(value: Json, path: Path, hidden: bool) -> None:
    """A value beneath a secret name is hidden, whatever its own type."""
    assert (REDACTOR.value(value, path) != value) is hidden


def declaring(*paths: str) -> Redactor:
    """Give a redactor to which these places are secret."""
    return REDACTOR.declaring(tuple(map(parse_pattern, paths)))


def test_declared_places_are_hidden_in_bodies_and_values() -> None:
    """Whatever they are called, and of any type; equal values stay equal."""
    redactor = declaring("$.user.iban", "$.rows[*].note")
    text = redactor.body(
        b'{"user":{"iban":["DE1"],"n":1},"rows":[{"note":"x"},{"note":"x"}]}', Content.JSON
    )
    hidden = REDACTOR.placeholder("x")
    assert '"n":1' in text
    assert "DE1" not in text
    assert text.count(hidden) == 2
    assert redactor.value({"iban": "DE1"}, ("$", "user")) == {"iban": REDACTOR.placeholder("DE1")}
    assert redactor.value("x", ("$", "rows", 3, "note")) == hidden
    assert redactor.value("x", ("$", "rows", Element("id", "4", 3), "note")) == hidden


def test_declared_headers_and_fields_are_hidden() -> None:
    """By the name of the header, and of a form's field."""
    redactor = declaring("headers.x-customer", "$.iban")
    assert redactor.headers((("X-Customer", "17"),)) == (
        ("X-Customer", REDACTOR.placeholder("17")),
    )
    kind = "application/x-www-form-urlencoded"
    assert "DE1" not in redactor.body(b"iban=DE1&a=b", Content.TEXT, kind)
    assert "DE1" not in redactor.target("/a?iban=DE1")


def test_body_in_which_a_declared_place_cannot_be_found_is_not_kept() -> None:
    """Rather nothing than a secret."""
    assert declaring("$.iban").body(b'{"iban":"DE1"', Content.JSON).startswith("[13 bytes ")


def test_nothing_declared_changes_nothing() -> None:
    """The same redactor serves."""
    assert REDACTOR.declaring(()) is REDACTOR


@pytest.mark.parametrize(
    "tag",
    [
        '<input type="hidden" name="csrf" value="hunter2">',
        "<input value='hunter2' name='user[password]'/>",
        "<META content=hunter2 name=csrf-token>",
    ],
)
def test_hidden_fields_of_pages_lose_what_they_hold(tag: str) -> None:
    """Wherever the name stands; others stay."""
    page = f'<form><input name="page" value="2">{tag}</form>'.encode()
    text = REDACTOR.body(page, Content.TEXT, "text/html")
    assert "hunter2" not in text
    assert REDACTOR.placeholder("hunter2") in text
    assert '<input name="page" value="2">' in text
