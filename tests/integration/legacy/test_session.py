from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest

from deploy.stack.database import Database
from deploy.stack.mariadb import MariaDb

NewUser = Callable[..., dict[str, object]]

NOT_LOGGED_IN = b'{"status":"error","message":"Not logged in"}'
PASSWORD = "cutover-demo"


def log_in(client: httpx.Client, email: object, password: str) -> httpx.Response:
    """Log in as the page does, with a form."""
    return client.post("/api/login", data={"email": str(email), "password": password})


def test_a_seeded_user_logs_in(client: httpx.Client) -> None:
    """A login answers with the user, notes the time, and sets one cookie."""
    before = client.get("/api/users/2").json()["data"]
    answer = log_in(client, before["email"], PASSWORD)
    assert answer.status_code == 200
    user = answer.json()["data"]
    assert user == {**before, "last_login_at": user["last_login_at"]}
    assert user["last_login_at"] > before["last_login_at"]
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 1
    assert re.fullmatch(r"PHPSESSID=[A-Za-z0-9,-]{22,}; path=/; HttpOnly; SameSite=Lax", cookies[0])


def test_the_session_lasts_until_the_logout(client: httpx.Client, new_user: NewUser) -> None:
    """Who is logged in is known by the cookie alone, and no longer after the logout."""
    user = new_user(password="a password")
    assert client.get("/api/me").status_code == 401
    log_in(client, user["email"], "a password")
    me = client.get("/api/me")
    assert (me.status_code, me.json()["data"]["id"]) == (200, user["id"])
    assert "set-cookie" not in me.headers
    old = {"Cookie": f"PHPSESSID={client.cookies['PHPSESSID']}"}
    answer = client.post("/api/logout")
    assert answer.status_code == 200
    assert answer.content == b'{"status":"ok","data":[]}'
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 1
    assert cookies[0].startswith("PHPSESSID=deleted; expires=Thu, 01 Jan 1970")
    answer = client.get("/api/me", headers=old)
    assert (answer.status_code, answer.content) == (401, NOT_LOGGED_IN)


@pytest.mark.parametrize(
    "cookie",
    ["", "PHPSESSID=", "PHPSESSID=short", "PHPSESSID=abcdefghijklmnopqrstuvwxyz", "PHPSESSID[]=x"],
)
def test_nobody_without_a_session(client: httpx.Client, cookie: str) -> None:
    """A cookie that names no session is nobody, and begins none."""
    for method, path, status, body in (
        ("GET", "/api/me", 401, NOT_LOGGED_IN),
        ("POST", "/api/logout", 200, b'{"status":"ok","data":[]}'),
        ("GET", "/account", 302, b""),
    ):
        answer = client.request(method, path, headers={"Cookie": cookie})
        assert (answer.status_code, answer.content) == (status, body)
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "body",
    [
        {"email": "demo@example.com", "password": "wrong"},
        {"email": "demo@example.com", "password": ""},
        {"email": "demo@example.com"},
        {"email": "nobody@example.com", "password": PASSWORD},
        {"email": "conor.nidhuibhne.14@example.com", "password": PASSWORD},  # inactive
        {"email": "", "password": ""},
        {"email": ["demo@example.com"], "password": [PASSWORD]},
        {"email": "demo@example.com' -- ", "password": PASSWORD},
        {"email": "' OR '1'='1", "password": "' OR '1'='1"},
        {},
    ],
)
def test_wrong_credentials(client: httpx.Client, body: dict[str, object]) -> None:
    """Whatever is wrong, the answer is the same, and no session begins."""
    answer = client.post("/api/login", json=body)
    assert answer.status_code == 401
    assert answer.content == b'{"status":"error","message":"Invalid credentials"}'
    assert "set-cookie" not in answer.headers


def test_the_case_of_the_email_does_not_matter(client: httpx.Client, new_user: NewUser) -> None:
    """The e-mail is compared without regard to case and to spaces around it."""
    user = new_user(email="Mixed.Case@example.org", password="a password")
    answer = log_in(client, " mixed.case@EXAMPLE.org ", "a password")
    assert answer.json()["data"]["id"] == user["id"]


def test_a_login_changes_the_session_id(client: httpx.Client, new_user: NewUser) -> None:
    """An id that somebody planted, or that was valid before, is not the one after the login."""
    user = new_user(password="a password")
    planted = {"Cookie": "PHPSESSID=plantedplantedplantedplanted"}
    body = {"email": user["email"], "password": "a password"}
    first = client.post("/api/login", json=body, headers=planted).cookies["PHPSESSID"]
    assert client.get("/api/me", headers=planted).status_code == 401
    second = client.post("/api/login", json=body).cookies["PHPSESSID"]
    assert first != second
    assert client.get("/api/me", headers={"Cookie": f"PHPSESSID={first}"}).status_code == 401


def test_a_user_who_is_switched_off_is_logged_out(
    client: httpx.Client,
    new_user: NewUser,
    mariadb_server: MariaDb,
    scratch_database: Database,
) -> None:
    """A session is worth nothing once its user is no longer active."""
    user = new_user(email="off@example.org", password="a password")
    log_in(client, user["email"], "a password")
    assert client.get("/api/me").status_code == 200
    switch_off = "UPDATE users SET is_active = 0 WHERE email = 'off@example.org'"
    mariadb_server.sql(switch_off, scratch_database.name)
    assert client.get("/api/me").status_code == 401
