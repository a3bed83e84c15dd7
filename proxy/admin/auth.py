"""Who may ask: accounts or a token, the Host and Origin checks, and the headers of every answer.

Without either the API trusts whoever can reach the loopback interface. A browser on this machine
can be made to do that by any web page, so two checks stand in for authentication: the Host must be
loopback (against DNS rebinding, where evil.example resolves to 127.0.0.1), and what changes
something must come from our own pages or from no page at all (against cross-site requests).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from proxy.admin.endpoints import PREFIX
from proxy.admin.principal import (
    ANYBODY,
    LOGIN,
    OPEN_PATHS,
    SAFE_METHODS,
    Principal,
    enter,
)
from proxy.admin.problems import Problem
from proxy.admin.responses import problem_response
from proxy.errors import SettingsError
from proxy.settings import Address, is_loopback, parse_address

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    # Not no-referrer: under it browsers send `Origin: null` with our own forms (Fetch, 3.2), which
    # cannot be told from a forged one. This one gives other sites no more: nothing.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

HELD = "cutover.held"
"""In the scope of a form that nobody was signed in for: where it was sent to."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request decides whether it is let in; `port` is where the API listens."""

    method: str
    path: str
    headers: Headers
    port: int
    client: str = ""


class Doorkeeper(Protocol):
    """Decides who is let in."""

    async def admit(self, asked: Asked) -> Principal | Problem:
        """Give who asks, or the problem to answer with."""
        ...


class Guard:
    """Decides by one token, or without any by where the request comes from."""

    def __init__(self, token: str | None) -> None:
        self._digest = None if token is None else _digest(token.encode())

    async def admit(self, asked: Asked) -> Principal | Problem:
        """Give who asks, or the problem to answer with."""
        return self.refusal(asked.method, asked.path, asked.headers, asked.port) or ANYBODY

    def refusal(self, method: str, path: str, headers: Headers, port: int) -> Problem | None:
        """Give the problem to answer with, or None. `port` is where the API listens."""
        if path in OPEN_PATHS:
            return None
        if self._digest is None:
            problem = wrong_host(headers, port)
        else:
            problem = self._wrong_token(headers, self._digest)
        if problem is None and method not in SAFE_METHODS:
            problem = cross_site(headers)
        return problem

    def _wrong_token(self, headers: Headers, expected: bytes) -> Problem | None:
        given = credentials(headers.get("authorization", ""))
        if given is not None and hmac.compare_digest(_digest(given), expected):
            return None
        detail = "No token was given." if given is None else "The token is not the right one."
        mend = "Send Authorization: Bearer TOKEN, or the token as the password of any user."
        return Problem(401, "not-authenticated", detail, mend)


def credentials(authorization: str) -> bytes | None:
    """Take the token from a Bearer, or the password from a Basic Authorization field."""
    scheme, _, rest = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip().encode("latin-1", "replace") or None
        case "basic":
            try:
                pair = base64.b64decode(rest.strip(), validate=True)
            except (binascii.Error, ValueError):
                return None
            return pair.partition(b":")[2] or None
        case _:
            return None


def wrong_host(headers: Headers, port: int) -> Problem | None:
    """Refuse a Host that is not a loopback name or address with our port."""
    hosts = headers.getlist("host")
    if len(hosts) == 1 and (address := _host_address(hosts[0])) is not None:
        host, given = address
        if is_loopback(host) and given == port:
            return None
    return Problem(
        421,
        "unknown-host",
        "Without a token this API answers only requests to a loopback Host with its own port.",
        f"Ask for 127.0.0.1:{port} or localhost:{port}, or set CUTOVER_ADMIN_TOKEN.",
    )


def cross_site(headers: Headers) -> Problem | None:
    """Refuse what a page of another site could have sent.

    Sec-Fetch-Site cannot be set by a page; where it is missing (plain HTTP, old browsers) Origin
    decides; where both are, no browser sent it, and a JSON body proves it: pages cannot send one
    elsewhere without being asked first (a preflight, which nobody here answers).
    """
    site, origins = headers.get("sec-fetch-site"), headers.getlist("origin")
    if site is not None:
        allowed = site in ("same-origin", "none") and all(_same_host(o, headers) for o in origins)
    elif origins:
        allowed = len(origins) == 1 and _same_host(origins[0], headers)
    else:
        allowed = is_json(headers)
    if allowed:
        return None
    return Problem(
        403,
        "cross-site",
        "Changes are taken from the console's own pages, or from scripts that send JSON.",
        "Send Content-Type: application/json and no Origin header.",
    )


def is_json(headers: Headers) -> bool:
    """Whether the body is declared as JSON."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json"


def _same_host(origin: str, headers: Headers) -> bool:
    """Whether an Origin names our Host; the scheme may differ behind a TLS terminator."""
    scheme, _, authority = origin.lower().partition("://")
    return scheme in ("http", "https") and authority == headers.get("host", "").lower()


def _host_address(host: str) -> Address | None:
    try:
        return parse_address(host)
    except SettingsError:
        pass
    try:
        return parse_address(f"{host}:80")
    except SettingsError:
        return None


def _digest(token: bytes) -> bytes:
    """Hash before comparing, so that not even the length shows in the time taken."""
    return hashlib.sha256(token).digest()


class Gatekeeper:
    """The middleware that asks the guard and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp, guard: Doorkeeper) -> None:
        self.app = app
        self.guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a problem, or pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                secure(headers, scope["path"])
            await send(message)

        client = scope.get("client")
        asked = Asked(
            scope["method"],
            scope["path"],
            Headers(scope=scope),
            scope["server"][1],
            client[0] if client else "",
        )
        found = await self.guard.admit(asked)
        if isinstance(found, Principal):
            enter(found)
            await self.app(scope, receive, send_secured)
            return
        address = _address(scope)
        if found.kind == "sign-in" and _is_form_of_a_person(asked):
            # A session that ended in the middle of an edit: whoever signs in again finds the text.
            enter(ANYBODY)
            held = {**scope, "path": LOGIN, "raw_path": LOGIN.encode(), HELD: address}
            await self.app(held, receive, send_secured)
            return
        await _refused(found, asked, address)(scope, receive, send_secured)


def _address(scope: Scope) -> str:
    """Give what was asked for, as it was written, with its query."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    query: bytes = scope.get("query_string") or b""
    return (raw.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")


def _is_form_of_a_person(asked: Asked) -> bool:
    """Whether a form was sent by one of our own pages, and not by a script of it."""
    kind = asked.headers.get("content-type", "").partition(";")[0].strip().lower()
    return (
        asked.method == "POST"
        and kind == "application/x-www-form-urlencoded"
        and _by_person(asked)
        and not asked.path.startswith(PREFIX)
        and cross_site(asked.headers) is None
    )


def _by_person(asked: Asked) -> bool:
    return "text/html" in asked.headers.get("accept", "") and "hx-request" not in asked.headers


def _refused(problem: Problem, asked: Asked, address: str) -> Response:
    """Answer a refusal; who has to sign in and uses a browser is led to where that is done."""
    if problem.kind == "sign-in" and asked.method in SAFE_METHODS and _by_person(asked):
        return RedirectResponse(f"{LOGIN}?next={quote(address, safe='')}", 303)
    headers = {}
    if problem.kind == "not-authenticated":
        headers["www-authenticate"] = 'Basic realm="cutover", charset="UTF-8", Bearer'
    elif problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    elif "wait" in problem.extra:
        headers["retry-after"] = str(problem.extra["wait"])
    return problem_response(problem, asked.path, headers)


def secure(headers: MutableHeaders, path: str) -> None:
    """Add the security headers; only the console's static files may be kept by anybody."""
    for name, value in SECURITY_HEADERS.items():
        headers[name] = value
    if not path.startswith("/static/"):
        headers.setdefault("cache-control", "no-store")
