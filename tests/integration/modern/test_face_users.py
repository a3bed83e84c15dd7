from __future__ import annotations

import asyncio

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from modern.infra.resources import Resources
from modern.users.tables import users

NEW = {"email": "ana@example.com", "name": "Ana Ñandú", "password": "longenough"}


async def test_a_user_to_the_byte(client: httpx.AsyncClient) -> None:
    """Field order, null for what never was, a birthday without a time."""
    answer = await client.get("/api/users/1")
    assert answer.status_code == 200
    assert answer.content.decode() == (
        '{"status":"ok","data":{"id":1,"email":"User1@example.com","name":"Zoë Nº1",'
        '"country":"DE","phone":null,"birthday":"1984-02-29","is_active":true,'
        '"last_login_at":null,"created_at":"2024-03-01T10:00:00+00:00"}}'
    )


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("number", ["0", "99", "9" * 40])
async def test_a_user_that_does_not_exist(
    client: httpx.AsyncClient, method: str, number: str
) -> None:
    """Not found is 200, and comes before what may be wrong with a change."""
    answer = await client.request(method, f"/api/users/{number}", json={"name": ""})
    assert (answer.status_code, answer.text) == (
        200,
        '{"status":"error","message":"User not found"}',
    )


async def test_registering(client: httpx.AsyncClient, resources: Resources) -> None:
    """A user is created, shown without the password, and can be read again."""
    answer = await client.post("/api/users", json=NEW | {"country": "ar", "phone": " 123 "})
    assert answer.status_code == 201
    user = answer.json()["data"]
    assert (user["id"], user["name"], user["country"], user["phone"]) == (
        4,
        "Ana Ñandú",
        "AR",
        "123",
    )
    assert (user["is_active"], user["last_login_at"]) == (True, None)
    assert (await client.get("/api/users/4")).json()["data"] == user
    async with resources.database.reading() as connection:
        stored = await connection.scalar(select(users.c.password_hash).where(users.c.id == 4))
    assert stored is not None
    assert stored.startswith("$argon2id$")
    assert PasswordHasher().verify(stored, "longenough")


async def test_registering_by_form(client: httpx.AsyncClient) -> None:
    """A form is as good as JSON."""
    answer = await client.post("/api/users", data=NEW)
    assert (answer.status_code, answer.json()["data"]["email"]) == (201, "ana@example.com")


@pytest.mark.parametrize("email", ["User1@example.com", "user1@EXAMPLE.com"])
async def test_an_address_is_one_users(client: httpx.AsyncClient, email: str) -> None:
    """In whatever case it is written."""
    answer = await client.post("/api/users", json=NEW | {"email": email})
    assert answer.status_code == 422
    assert answer.text == (
        '{"status":"error","message":"Validation failed","errors":{"email":"already taken"}}'
    )


async def test_a_taken_address_is_told_with_the_rest(client: httpx.AsyncClient) -> None:
    """All mistakes at once, in the order of the fields."""
    answer = await client.post("/api/users", json={"email": "user1@example.com", "phone": 5})
    assert list(answer.json()["errors"].items()) == [
        ("email", "already taken"),
        ("name", "required"),
        ("password", "required"),
        ("phone", "invalid"),
    ]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"", "application/json"),
        (b'{"email":"ana@example.com"}', "text/plain"),
    ],
)
async def test_a_broken_body_is_an_empty_one(
    client: httpx.AsyncClient, body: bytes, content_type: str
) -> None:
    """Everything that is required is missing."""
    answer = await client.post("/api/users", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 422
    assert answer.json()["errors"] == {
        "email": "required",
        "name": "required",
        "password": "required",
    }


async def test_of_many_with_one_address_one_registers(client: httpx.AsyncClient) -> None:
    """The address is checked by the insert itself."""
    answers = await asyncio.gather(*(client.post("/api/users", json=NEW) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422, 422]


async def test_changing_what_is_given(client: httpx.AsyncClient) -> None:
    """The rest stays; what must not change is ignored."""
    answer = await client.put("/api/users/2", json={"name": " Zoë Neu ", "email": "x@example.com"})
    user = answer.json()["data"]
    assert (user["name"], user["phone"], user["email"]) == (
        "Zoë Neu",
        "+49 30 1234",
        "User2@example.com",
    )


async def test_changing_by_form_and_clearing(client: httpx.AsyncClient) -> None:
    """An empty optional field is cleared."""
    answer = await client.put("/api/users/2", data={"country": "", "phone": ""})
    user = answer.json()["data"]
    assert (user["country"], user["phone"], user["name"]) == (None, None, "Zoë Nº2")


async def test_changing_nothing(client: httpx.AsyncClient) -> None:
    """No change is a change like another."""
    before = (await client.get("/api/users/2")).content
    assert (await client.put("/api/users/2", json={})).content == before


async def test_a_wrong_change_changes_nothing(client: httpx.AsyncClient) -> None:
    """One mistake keeps all of it out."""
    answer = await client.put("/api/users/2", json={"name": "New", "country": "Germany"})
    assert (answer.status_code, answer.json()["errors"]) == (422, {"country": "invalid"})
    assert (await client.get("/api/users/2")).json()["data"]["name"] == "Zoë Nº2"
