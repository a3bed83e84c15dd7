"""The requests of a workload as bytes: many users who ask for different things."""

from __future__ import annotations

from dataclasses import dataclass

USERS = 10_000
"""More than a cache of recent requests holds, and asked for in turn: it never helps."""

POSTS = 500
"""A body goes with every request, so these are fewer."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What one kind of request looks like. `path` is a prefix; `body` is its size in bytes."""

    method: str = "GET"
    path: str = "/api/r{route}"
    body: int = 0
    close: bool = False
    """Whether each request has a connection of its own."""
    different: int = USERS
    """How many requests there are before the first comes again."""


def requests(shape: Shape, routes: int) -> list[bytes]:
    """Give the requests in the order in which they are sent, again and again.

    Spread evenly over the routes; user, route and path have different periods.
    """
    body = b"x" * shape.body
    count = min(shape.different, POSTS) if body else shape.different
    return [_request(shape, number, routes) + body for number in range(count)]


def _request(shape: Shape, number: int, routes: int) -> bytes:
    path = shape.path.format(route=number * 7919 % routes)
    lines = [
        f"{shape.method} {path}/{number} HTTP/1.1",
        "Host: bench.example",
        "User-Agent: bench/1.0",
        "Accept: */*",
        f"Cookie: PHPSESSID=s{number * 31 % USERS}",
    ]
    if shape.body:
        lines += ["Content-Type: application/octet-stream", f"Content-Length: {shape.body}"]
    if shape.close:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
