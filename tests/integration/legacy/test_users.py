from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from deploy.stack.database import Database
from deploy.stack.mariadb import MariaDb

NewUser = Callable[..., dict[str, object]]

FIELDS = [
    "id",
    "email",
    "name",
    "country",
    "phone",
    "birthday",
    "is_active",
    "last_login_at",
    "created_at",
]
LONG = "é" * 255


def test_one_user_to_the_byte(client: httpx.Client) -> None:
    """A seeded user with markup in the name, as JSON spells it."""
    answer = client.get("/api/users/13")
    assert answer.status_code == 200
    assert answer.content == (
        rb'{"status":"ok","data":{"id":13,"email":"youssef.ibrahim.13@example.com",'
        rb'"name":"Si\u00e2n \"Shan\" O' + b"'" + rb'Hara & Co. <sales\/eu>","country":"EG",'
        rb'"phone":"+68 555 7527","birthday":"1978-02-02","is_active":1,'
        rb'"last_login_at":"2024-12-08 21:15:16","created_at":"2022-01-21 07:29:43"}}'
    )


def test_unknown_user_is_answered_with_200(client: httpx.Client) -> None:
    """A user who does not exist is an error in the body, for reading and for changing."""
    for answer in (client.get("/api/users/0"), client.put("/api/users/0", json={"name": 5})):
        assert answer.status_code == 200
        assert answer.content == b'{"status":"error","message":"User not found"}'


def test_zero_dates_and_nulls(client: httpx.Client) -> None:
    """What was never set is a zero date in some columns and null in others."""
    users = [client.get(f"/api/users/{number}").json()["data"] for number in (5, 22)]
    assert (users[0]["last_login_at"], users[0]["birthday"]) == ("0000-00-00 00:00:00", None)
    assert (users[1]["birthday"], users[1]["is_active"]) == ("0000-00-00", 0)


def test_emoji(client: httpx.Client) -> None:
    """A character beyond the basic plane is a pair of escapes."""
    assert rb'"name":"Zo\u00eb \ud83d\udeb2 Bakker"' in client.get("/api/users/42").content


def test_create(client: httpx.Client) -> None:
    """A new user gets 201, all fields in order, and the defaults of the database."""
    body = {"email": " New.One@example.com\n", "name": "\tÅsa ", "password": "12345678"}
    answer = client.post("/api/users", json={**body, "country": "se", "phone": "", "admin": 1})
    user = answer.json()["data"]
    assert (answer.status_code, list(user)) == (201, FIELDS)
    created = user.pop("created_at")
    assert user.pop("id") > 2000
    assert user == {
        "email": "New.One@example.com",
        "name": "Åsa",
        "country": "SE",
        "phone": None,
        "birthday": None,
        "is_active": 1,
        "last_login_at": "0000-00-00 00:00:00",
    }
    assert len(created) == len("2026-11-23 17:02:48")


def test_create_from_a_form(client: httpx.Client) -> None:
    """A form does the same as JSON."""
    form = {"email": "form@example.com", "name": "José Ñandú", "password": "12345678"}
    answer = client.post("/api/users", data=form)
    assert answer.status_code == 201
    assert rb'"name":"Jos\u00e9 \u00d1and\u00fa"' in answer.content


def test_the_password_is_stored_as_a_bcrypt_hash(
    client: httpx.Client, mariadb_server: MariaDb, scratch_database: Database
) -> None:
    """The database holds a hash, and no answer holds it."""
    form = {"email": "secret@example.com", "name": "S", "password": "open sesame"}
    answer = client.post("/api/users", data=form)
    query = "SELECT password_hash FROM users WHERE email = 'secret@example.com'"
    stored = mariadb_server.sql(query, scratch_database.name).strip()
    assert stored.startswith("$2y$10$")
    assert stored not in answer.text


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"email": None}, {"email": "required"}),
        ({"email": "  "}, {"email": "required"}),
        ({"email": "DEMO@Example.com"}, {"email": "already taken"}),
        ({"email": "no-at-sign"}, {"email": "invalid"}),
        ({"email": "a@localhost"}, {"email": "invalid"}),
        ({"email": "jösé@example.com"}, {"email": "invalid"}),
        ({"email": "a@example.com, b@example.com"}, {"email": "invalid"}),
        ({"email": "a" * 250 + "@example.com"}, {"email": "too long"}),
        ({"email": ["a@example.com"]}, {"email": "invalid"}),
        ({"name": ""}, {"name": "required"}),
        ({"name": 5}, {"name": "invalid"}),
        ({"name": True}, {"name": "invalid"}),
        ({"name": "zero\0byte"}, {"name": "invalid"}),
        ({"name": LONG + "x"}, {"name": "too long"}),
        ({"password": None}, {"password": "required"}),
        ({"password": ""}, {"password": "required"}),
        ({"password": "1234567"}, {"password": "too short"}),
        ({"password": 12345678}, {"password": "invalid"}),
        ({"password": "1234\0 5678"}, {"password": "invalid"}),
        ({"password": "é" * 37}, {"password": "too long"}),
        ({"country": "D"}, {"country": "invalid"}),
        ({"country": "DEU"}, {"country": "invalid"}),
        ({"country": "D1"}, {"country": "invalid"}),
        ({"country": "ÄÖ"}, {"country": "invalid"}),
        ({"country": 49}, {"country": "invalid"}),
        ({"country": "x" * 300}, {"country": "invalid"}),
        ({"phone": 12345}, {"phone": "invalid"}),
        ({"phone": "1" * 41}, {"phone": "too long"}),
        (
            {"email": "x", "name": " ", "password": "x", "country": "x", "phone": "1" * 99},
            {
                "email": "invalid",
                "name": "required",
                "password": "too short",
                "country": "invalid",
                "phone": "too long",
            },
        ),
    ],
)
def test_create_with_wrong_fields(
    client: httpx.Client, change: dict[str, object], errors: dict[str, str]
) -> None:
    """Every wrong field is named, in the order of the fields."""
    body = {"email": "fine@example.com", "name": "Fine", "password": "12345678", **change}
    answer = client.post("/api/users", json=body)
    assert answer.status_code == 422
    expected = {"status": "error", "message": "Validation failed", "errors": errors}
    assert answer.json() == expected
    assert list(answer.json()["errors"]) == list(errors)


def test_what_just_fits(client: httpx.Client) -> None:
    """The limits themselves are allowed: characters for names, bytes for passwords."""
    body = {"email": "fits@example.com", "name": LONG, "password": "é" * 4, "phone": "1" * 40}
    answer = client.post("/api/users", json=body)
    assert answer.status_code == 201
    assert answer.json()["data"]["name"] == LONG


def test_change(client: httpx.Client, new_user: NewUser) -> None:
    """Only the fields that are given change, and those that may not change are ignored."""
    user = new_user(country="DE", phone="+49 555 1")
    path = f"/api/users/{user['id']}"
    answer = client.put(path, json={"name": "Neuer Name", "email": "other@example.com"})
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "data": {**user, "name": "Neuer Name"}}
    answer = client.put(path, data={"country": "", "phone": "+49 555 2"})
    changed = {**user, "name": "Neuer Name", "country": None, "phone": "+49 555 2"}
    assert answer.json()["data"] == changed
    assert client.put(path, json={"phone": None}).json()["data"] == {**changed, "phone": None}
    assert client.put(path, json={}).json()["data"] == client.get(path).json()["data"]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (b"name=", '{"name":"required"}'),
        (b"name=Jos%E9", '{"name":"invalid"}'),
        (b"name[]=x", '{"name":"invalid"}'),
        (b"name=x&country=Germany", '{"country":"invalid"}'),
    ],
)
def test_change_with_wrong_fields(client: httpx.Client, body: bytes, errors: str) -> None:
    """A change with a wrong field changes nothing."""
    before = client.get("/api/users/2").content
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.put("/api/users/2", content=body, headers=headers)
    assert answer.status_code == 422
    message = f'{{"status":"error","message":"Validation failed","errors":{errors}}}'
    assert answer.text == message
    assert client.get("/api/users/2").content == before
