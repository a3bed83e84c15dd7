from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.identity import (
    MINT_COOKIE,
    VALUE_MAX,
    canonical,
    compile_source,
    cookie_value,
    identity_hash,
    jwt_claim,
    mint,
)
from tests.support_routing import request

KEY = b"k" * 32
MINTED = b"000102030405060708090a0b0c0d0e0f.4578d3907cf3e703"


def ask(
    source: str, parameters: dict[str, str] | None = None, **fields: str | bytes
) -> bytes | None:
    """Ask one source about a request with these fields."""
    return compile_source(source, KEY).find(request(**fields), parameters or {})


def token(payload: object, header: str = "e30", signature: str = "c2ln") -> bytes:
    """Write a JSON Web Token around a payload."""
    body = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=").decode()
    return f"{header}.{body}.{signature}".encode()


@pytest.mark.parametrize(
    ("source", "fields", "identity"),
    [
        ("cookie:PHPSESSID", {"cookie": "PHPSESSID=abc"}, b"cookie:PHPSESSID=abc"),
        ("cookie:PHPSESSID", {"cookie": "a=1; PHPSESSID=abc; b=2"}, b"cookie:PHPSESSID=abc"),
        ("cookie:PHPSESSID", {"cookie": "phpsessid=abc"}, None),
        ("cookie:PHPSESSID", {"cookie": "XPHPSESSID=abc"}, None),
        ("cookie:PHPSESSID", {"cookie": "PHPSESSID="}, None),
        ("cookie:PHPSESSID", {"cookie": "PHPSESSID"}, None),
        ("cookie:PHPSESSID", {"cookie": ""}, None),
        ("cookie:PHPSESSID", {}, None),
        ("cookie:a", {"cookie": b"a=\xff\x00"}, b"cookie:a=\xff\x00"),
        ("header:X-Customer", {"x_customer": "17"}, b"header:x-customer=17"),
        ("header:x-customer", {"x_customer": "17"}, b"header:x-customer=17"),
        ("header:X-Customer", {"x_customer": ""}, None),
        ("header:X-Customer", {}, None),
        ("jwt:sub", {"authorization": b"Bearer " + token({"sub": "u1"})}, b"jwt:sub=u1"),
        ("jwt:sub", {"authorization": b"bearer  " + token({"sub": 17})}, b"jwt:sub=17"),
        ("jwt:sub", {"authorization": b"Basic " + token({"sub": 17})}, None),
        ("jwt:sub", {"authorization": "Bearer"}, None),
        ("jwt:sub", {}, None),
    ],
)  # fmt: skip
def test_each_source_reads_its_field(
    source: str, fields: dict[str, str | bytes], identity: bytes | None
) -> None:
    """An identity names its source, so that equal values of two sources are two identities."""
    assert ask(source, None, **fields) == identity


def test_a_path_parameter_is_an_identity() -> None:
    """An absent one is none."""
    assert ask("path:id", {"id": "17"}) == b"path:id=17"
    assert ask("path:id", {"other": "17"}) is None


@pytest.mark.parametrize("source", ["", "client_ip", "cookies:a", "query:id"])
def test_what_is_no_source_is_a_mistake_of_the_program(source: str) -> None:
    """The schema lets none through; `client_ip` is the table's own."""
    with pytest.raises(ValueError, match="not a source of identity"):
        compile_source(source, KEY)


def test_long_values_are_cut() -> None:
    """The work for one request is bounded; what is the same up to the bound is one identity."""
    long = "x" * (VALUE_MAX + 1)
    assert ask("header:a", a=long) == b"header:a=" + b"x" * VALUE_MAX
    assert ask("header:a", a=long) == ask("header:a", a=long + "y")


@pytest.mark.parametrize(
    ("source", "spelling"),
    [
        ("header:X-Customer", "header:x-customer"),
        ("cookie:PHPSESSID", "cookie:PHPSESSID"),
        ("jwt:Sub", "jwt:Sub"),
        ("client_ip", "client_ip"),
    ],
)
def test_only_names_of_fields_have_no_case(source: str, spelling: str) -> None:
    """Two spellings of one source give one identity; cookies and claims have a case."""
    assert canonical(source) == spelling


# Cookies


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (b"a=1", b"1"),
        (b"b=2;a=1", b"1"),
        (b" a=1 ", b"1"),
        (b"\ta=1\t;", b"1"),
        (b"a=1; a=2", b"1"),  # RFC 6265, 5.4: the more specific one comes first
        (b'a="1"', b'"1"'),
        (b"a==", b"="),
        (b"a=1=2", b"1=2"),
        (b"a=", b""),
        (b"a", None),
        (b"a ; b", None),
        (b"A=1", None),
        (b"aa=1", None),
        (b"x=a=1", None),
        (b";;;", None),
        (b"", None),
    ],
)
def test_cookies_are_found_by_name(header: bytes, value: bytes | None) -> None:
    """The first of this name, exactly as it was sent."""
    assert cookie_value(header, b"a") == value


@given(st.binary(max_size=60))
def test_any_cookie_field_is_survived(header: bytes) -> None:
    """A client sends what it likes."""
    cookie_value(header, b"a")


@given(st.text("a=; \tb", max_size=14).map(str.encode))
def test_the_first_cookie_is_found_by_any_way(header: bytes) -> None:
    """Looking the name up comes to what taking the field apart comes to (RFC 6265, 4.2.1)."""
    parts = (part.strip(b" \t").partition(b"=") for part in header.split(b";"))
    expected = next((value for key, mark, value in parts if mark and key == b"a"), None)
    assert cookie_value(header, b"a") == expected
    ask("cookie:a", cookie=header)
    ask("mint", cookie=header)
    ask("mint", cookie=MINT_COOKIE + b"=" + header)


# Claims


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b".",
        b"..",
        b"a.b",
        b"a.b.c.d",
        b"e30.!!!.c2ln",
        b"e30.\xff\xfe.c2ln",
        b"e30.e30.c2ln",  # {}
        b"e30.W10.c2ln",  # []
        b"e30.bnVsbA.c2ln",  # null
        b"e30.eyJzdWIi.c2ln",  # cut off
        b"e30." + base64.urlsafe_b64encode(b'{"sub":"\\ud800"}') + b".c2ln",
        b"e30." + base64.urlsafe_b64encode(b'{"sub":' * 1000) + b".c2ln",
        b"e30." + base64.urlsafe_b64encode(b"[" * 5000) + b".c2ln",
        b"e30." + b"a" * (VALUE_MAX * 2 + 1) + b".c2ln",
        token({"sub": None}),
        token({"sub": ""}),
        token({"sub": True}),
        token({"sub": 1.5}),
        token({"sub": ["a"]}),
        token({"sub": {"a": 1}}),
        token({"sub": 10**30}),
        token({"Sub": "u1"}),
    ],
)
def test_hostile_tokens_name_nobody(hostile: bytes) -> None:
    """What is no token, or has no such claim, falls to the next source without an error."""
    assert jwt_claim(hostile, "sub") is None


@pytest.mark.parametrize(
    ("payload", "claim"),
    [
        ({"sub": "u1"}, b"u1"),
        ({"sub": 0}, b"0"),
        ({"sub": -5}, b"-5"),
        ({"sub": "é"}, "é".encode()),
    ],
)
def test_claims_are_texts_or_whole_numbers(payload: object, claim: bytes) -> None:
    """Both are what applications use to name people."""
    assert jwt_claim(token(payload), "sub") == claim
    assert jwt_claim(b" " + token(payload) + b" ", "sub") == claim


@given(st.binary(max_size=80))
def test_any_token_is_survived(junk: bytes) -> None:
    """A client sends what it likes."""
    jwt_claim(junk, "sub")
    jwt_claim(b"e30." + junk + b".c2ln", "sub")
    jwt_claim(b"e30." + base64.urlsafe_b64encode(junk) + b".c2ln", "sub")


# Minted cookies


def test_a_minted_cookie_is_recognised() -> None:
    """What we have signed is an identity; the signature is pinned, as it stands in browsers."""
    assert mint(KEY, bytes(range(16))) == MINTED
    assert ask("mint", cookie=b"a=1; " + MINT_COOKIE + b"=" + MINTED) == b"mint=" + MINTED


@pytest.mark.parametrize(
    "forged",
    [
        b"",
        b".",
        MINTED[:-1],
        MINTED[:-1] + b"4",
        MINTED.upper(),
        b"1" + MINTED[1:],
        MINTED + b".",
        b"." + MINTED,
        MINTED.replace(b".", b""),
        MINTED.partition(b".")[0] + b".",
        b"x" * VALUE_MAX * 2,
        b"\xff.\xff",
    ],
)
def test_nobody_makes_one_himself(forged: bytes) -> None:
    """Else a client would choose its bucket, or fill the log with names, at will."""
    assert ask("mint", cookie=MINT_COOKIE + b"=" + forged) is None


def test_another_key_signs_otherwise() -> None:
    """A cookie of another installation is not ours."""
    other = mint(b"other", bytes(16))
    assert ask("mint", cookie=MINT_COOKIE + b"=" + other) is None


# Hashes


def test_an_identity_is_counted_by_a_pinned_hash_of_63_bits() -> None:
    """It fits a signed column of a database and never changes."""
    assert identity_hash(b"jwt:sub=17") == 7503922132142612669


@given(st.binary(max_size=40))
def test_hashes_fit_a_signed_column(identity: bytes) -> None:
    """No database needs an unsigned type."""
    assert 0 <= identity_hash(identity) < 2**63
