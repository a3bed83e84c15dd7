from __future__ import annotations

import httpx
import pytest

JSON = "application/json; charset=utf-8"

PATHS = {
    "/health": "GET, HEAD",
    "/api/plans": "GET, HEAD",
    "/api/plans/1": "GET, HEAD",
    "/api/users": "POST",
    "/api/users/1": "GET, HEAD, PUT",
    "/api/subscriptions": "GET, HEAD, POST",
    "/api/subscriptions/1": "GET, HEAD",
    "/api/subscriptions/1/cancel": "POST",
    "/api/billing/history": "GET, HEAD",
    "/api/login": "POST",
    "/api/logout": "POST",
    "/api/me": "GET, HEAD",
    "/login": "GET, HEAD",
    "/account": "GET, HEAD",
}


@pytest.mark.parametrize(("path", "allow"), PATHS.items())
def test_a_method_that_the_path_does_not_know_is_405(
    client: httpx.Client, path: str, allow: str
) -> None:
    """A wrong method gets 405, the same message everywhere, and the methods there are."""
    answer = client.delete(path)
    assert answer.status_code == 405
    assert answer.content == b'{"status":"error","message":"Method not allowed"}'
    assert answer.headers["allow"] == allow
    assert answer.headers["content-type"] == JSON


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/",
        "/api/plans/",
        "/api/plans/x",
        "/api/plans/1x",
        "/api/plans/-1",
        "/api/plans/1/2",
        "/api/plans/1%0a",
        "//api/plans",
        "/API/plans",
        "/api/subscriptions/1/pause",
        "/index.php",
        "/index.php/api/plans",
    ],
)
def test_an_unknown_path_is_404(client: httpx.Client, path: str) -> None:
    """A path that is not on the face gets 404, whatever the method."""
    for method in ("GET", "POST", "DELETE"):
        answer = client.request(method, path)
        assert answer.status_code == 404
        assert answer.content == b'{"status":"error","message":"Not found"}'
        assert answer.headers["content-type"] == JSON


@pytest.mark.parametrize(
    "path",
    [
        "/config.php",
        "/database.php",
        "/billing.php",
        "/views/login.php",
        "/views/account.php",
        "/sql/seed.php",
        "/sql/names.php",
        "/sql/schema.sql",
        "/sql/",
        "/README.md",
        "/.htaccess",
    ],
)
def test_its_own_files_are_not_pages(client: httpx.Client, path: str) -> None:
    """No file of the application is served or run but the entry point."""
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.content == b'{"status":"error","message":"Not found"}'


@pytest.mark.parametrize("path", ["/%61pi/plans/2", "/api/plans/002", "/api/plans/2?x=%zz&a[]=1"])
def test_a_path_may_be_spelt_otherwise(client: httpx.Client, path: str) -> None:
    """Percent-encoding, leading zeros and stray queries lead to the same plan."""
    assert client.get(path).content == client.get("/api/plans/2").content


@pytest.mark.parametrize("path", ["/api/plans", "/api/plans/2", "/login"])
def test_head_is_get_without_the_body(client: httpx.Client, path: str) -> None:
    """HEAD answers with the headers of GET and nothing after them."""
    get, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("path", ["/api/plans", "/api/users/1", "/api/plans/99", "/nothing"])
def test_an_answer_without_a_session_sets_no_cookie(client: httpx.Client, path: str) -> None:
    """A session is opened only where one is needed, even when a cookie comes along."""
    answer = client.get(path, headers={"Cookie": "PHPSESSID=abcdefghijklmnopqrstuvwxyz"})
    assert "set-cookie" not in answer.headers
    assert "cache-control" not in answer.headers


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"not json"),
        ("application/json", b""),
        ("application/json", b'"text"'),
        ("application/json", b"[1, 2]"),
        ("application/json", b"\xff\xfe"),
        ("application/json", b'{"email":"\\ud800"}'),
        ("text/plain", b'{"email":"a@example.org"}'),
        ("application/x-www-form-urlencoded", b"=&&=1"),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
    ],
)
def test_a_body_that_cannot_be_read_counts_as_empty(
    client: httpx.Client, content_type: str, body: bytes
) -> None:
    """Broken or foreign bodies are no error of their own: the required fields are missing."""
    answer = client.post("/api/users", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 422
    assert answer.content == (
        b'{"status":"error","message":"Validation failed","errors":'
        b'{"email":"required","name":"required","password":"required"}}'
    )
