"""Accounts, roles and sessions over real HTTP: for every address, who may do what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.routing import Route

from proxy.admin.account_guard import SESSION_COOKIE
from proxy.admin.accounts import new_account
from proxy.admin.console.views import console_routes
from proxy.admin.endpoints import ENDPOINTS, PREFIX, Endpoint
from proxy.admin.principal import Role
from proxy.admin.throttle import BURST
from tests.support_admin import RunningAdmin, running_admin
from tests.support_commands import cutover
from tests.support_console import FakeController, FakeReport

MADE = {role: new_account(role.word, role) for role in Role}
TOKENS = {role: token for role, (_, token) in MADE.items()}
OTHERS = (None, *Role)

LEAST: dict[str, str] = {
    "status": "viewer",
    "routes": "viewer",
    "route": "viewer",
    "route_report": "viewer",
    "set_weight": "operator",
    "rollback": "operator",
    "resume": "operator",
    "resume_writes": "operator",
    "deployed": "operator",
    "advance": "operator",
    "hold": "operator",
    "approve": "operator",
    "outcomes": "viewer",
    "series": "viewer",
    "preview": "viewer",
    "health": "viewer",
    "audit": "viewer",
    "pins": "viewer",
    "pin": "operator",
    "unpin": "operator",
    "set_kill_switch": "operator",
    "recording": "viewer",
    "start_recording": "operator",
    "stop_recording": "operator",
    "versions": "viewer",
    "version": "viewer",
    "version_diff": "viewer",
    "revert": "operator",
    "export_rules": "viewer",
    "import_rules": "admin",
    "check_rules": "viewer",
    "decisions": "viewer",
    "decision": "viewer",
    "differences": "viewer",
    "export_differences": "viewer",
    "proposals": "viewer",
    "accept_proposal": "operator",
    "ignore_rules": "viewer",
    "difference": "viewer",
    "export_difference": "viewer",
    "acceptance": "viewer",
    "accept_difference": "operator",
    "fix_difference": "operator",
    "coverage": "viewer",
    "explain": "viewer",
    "events": "viewer",
    "openapi": "viewer",
}
"""The least role of every operation. A new one is to be thought about, and to be written here."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file with an account of each role, called like it."""
    file = tmp_path_factory.mktemp("accounts") / "accounts"
    file.write_text("".join(f"{account}\n" for account, _ in MADE.values()))
    return file


@pytest.fixture(scope="module")
def shared(file: Path) -> Iterator[RunningAdmin]:
    """Give an application to which everybody has signed in once, so that nobody is throttled."""
    with running_admin(accounts=file) as running:
        for token in TOKENS.values():
            found = httpx.get(f"{running.url}/api/v1/status", headers=bearer(token))
            assert found.status_code == 200
        yield running


@pytest.fixture
def admin(file: Path) -> Iterator[RunningAdmin]:
    """Give an application of its own."""
    with running_admin(accounts=file) as running:
        yield running


def bearer(token: str) -> dict[str, str]:
    """Write a token as a header."""
    return {"Authorization": f"Bearer {token}"}


def asked(admin: RunningAdmin, method: str, path: str, role: Role | None) -> int:
    """Ask with an empty object, which changes nothing; give the status."""
    headers = {} if role is None else bearer(TOKENS[role])
    body: dict[str, str] | None = None if method == "GET" else {}
    with (
        httpx.Client(base_url=admin.url) as http,
        http.stream(method, path, headers=headers, json=body) as answer,
    ):
        return answer.status_code


def test_every_operation_has_been_thought_about() -> None:
    """Its least role stands in the table of this test."""
    assert {endpoint.operation for endpoint in ENDPOINTS} == set(LEAST)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.operation)
def test_who_may_use_an_endpoint(shared: RunningAdmin, endpoint: Endpoint) -> None:
    """Nobody without a token, and of the roles those from the least one on."""
    path = PREFIX + re.sub(r"\{\w+\}", "1", endpoint.path)
    least = Role[LEAST[endpoint.operation].upper()]
    found = {role: asked(shared, endpoint.method, path, role) for role in OTHERS}
    assert found.pop(None) == 401
    assert {role for role, status in found.items() if status == 403} == {
        role for role in Role if role < least
    }
    assert 401 not in found.values()


PAGES = [
    (route.path, method)
    for route in console_routes(FakeController(), FakeReport())
    if isinstance(route, Route)
    for method in sorted((route.methods or set()) - {"HEAD"})
]


OF_ADMINS = {("/rules/edit", "POST")}


@pytest.mark.parametrize(("path", "method"), [*PAGES, ("/metrics", "GET"), ("/nowhere", "POST")])
def test_who_may_use_a_page(shared: RunningAdmin, path: str, method: str) -> None:
    """Viewers look and ask, operators send forms, admins some more; even where there is nothing."""
    path = re.sub(r"\{\w+(:\w+)?\}", "1", path)
    assert asked(shared, method, path, None) == 401
    refused = {role for role in Role if asked(shared, method, path, role) == 403}
    least = Role.ADMIN if (path, method) in OF_ADMINS else Role.OPERATOR
    assert refused == (
        {role for role in Role if role < least}
        if method == "POST" and path != "/explain"
        else set()
    )


def test_health_needs_no_account(admin: RunningAdmin) -> None:
    """A load balancer has none."""
    assert [httpx.get(f"{admin.url}{path}").status_code for path in ("/livez", "/readyz")] == [
        200, 200,
    ]  # fmt: skip


def test_the_journal_names_the_account_and_for_whom_it_acts(admin: RunningAdmin) -> None:
    """Nobody signs as somebody else."""
    with httpx.Client(base_url=f"{admin.url}/api/v1", headers=bearer(TOKENS[Role.OPERATOR])) as api:
        for author, signed in (({"author": "ada"}, "operator for ada"), ({}, "operator")):
            made = api.post("/routes/plans/rollback", json={"reason": "because", **author}).json()
            assert made["author"] == signed


def test_guessing_is_slowed_down_for_who_guesses(admin: RunningAdmin) -> None:
    """After a few wrong tokens the right one has to wait, unless it was known before."""
    with httpx.Client(base_url=f"{admin.url}/api/v1") as api:
        assert api.get("/status", headers=bearer(TOKENS[Role.VIEWER])).status_code == 200
        found = [api.get("/status", headers=bearer(f"admin.{n}")) for n in range(BURST + 1)]
        assert [answer.status_code for answer in found] == [401] * BURST + [429]
        assert 0 < int(found[-1].headers["retry-after"]) <= 12
        assert found[-1].json()["type"] == "urn:cutover:problem:too-many-attempts"
        assert api.get("/status", headers=bearer(TOKENS[Role.ADMIN])).status_code == 429
        assert api.get("/status", headers=bearer(TOKENS[Role.VIEWER])).status_code == 200


def form_token(page: str) -> str:
    """Find the hidden field of a form."""
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def signed_in(http: httpx.Client, role: Role, wanted: str = "/") -> httpx.Response:
    """Sign in as a browser does, and give the answer."""
    page = http.get("/login")
    fields = {"token": form_token(page.text), "secret": TOKENS[role], "next": wanted}
    return http.post("/login", data=fields, headers=SAME)


SAME = {"Sec-Fetch-Site": "same-origin"}
BROWSER = {"Accept": "text/html"}


def test_a_person_signs_in_acts_and_signs_out(admin: RunningAdmin) -> None:
    """From the page that was wanted, back to it; the change bears the account's name."""
    with httpx.Client(base_url=admin.url, headers=BROWSER) as http:
        led = http.get("/routes/plans")
        assert (led.status_code, led.headers["location"]) == (303, "/login?next=%2Froutes%2Fplans")
        login = http.get(led.headers["location"])
        assert "plans was" not in login.text
        assert 'name="next" value="/routes/plans"' in login.text
        answer = signed_in(http, Role.OPERATOR, "/routes/plans")
        assert (answer.status_code, answer.headers["location"]) == (303, "/routes/plans")
        cookie = next(c for c in answer.headers.get_list("set-cookie") if SESSION_COOKIE in c)
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        page = http.get("/routes/plans")
        assert "Signed in as operator" in page.text
        assert "Your name" not in page.text
        fields = {"token": form_token(page.text), "reason": "wrong prices", "author": "somebody"}
        done = http.post("/routes/plans/rollback", data=fields, headers=SAME)
        assert done.status_code == 303
        assert admin.controller.journal[-1].author == "operator"
        out = http.post("/logout", data={"token": form_token(page.text)}, headers=SAME)
        assert (out.status_code, out.headers["location"]) == (303, "/login")
        assert http.get("/").status_code == 303


def test_a_form_is_kept_when_the_session_has_ended(admin: RunningAdmin) -> None:
    """In the page that asks for the token, and in the next; sent again, it is carried out."""
    with httpx.Client(base_url=admin.url, headers=BROWSER) as http:
        signed_in(http, Role.OPERATOR)
        fields = {"token": form_token(http.get("/routes/plans").text), "reason": "a <b> \n text"}
        http.cookies.delete(SESSION_COOKIE)
        asked = http.post("/routes/plans/rollback?x=1", data=fields, headers=SAME)
        assert asked.status_code == 401
        assert "What you typed is kept" in asked.text
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asked.text))
        wrong = http.post("/login", data={**hidden, "secret": "x.y"}, headers=SAME)
        assert f'name="held" value="{hidden["held"]}"' in wrong.text
        back = http.post("/login", data={**hidden, "secret": TOKENS[Role.OPERATOR]}, headers=SAME)
        assert back.status_code == 200
        assert 'action="/routes/plans/rollback?x=1"' in back.text
        assert "a &lt;b&gt;" in back.text
        assert admin.controller.journal[-1].action != "rollback"
        again = {"token": form_token(back.text), "reason": "a text"}
        assert http.post("/routes/plans/rollback", data=again, headers=SAME).status_code == 303
        assert admin.controller.journal[-1].action == "rollback"


def test_nothing_is_kept_for_others(shared: RunningAdmin) -> None:
    """Another site's form, a script's, what was altered, and an address elsewhere."""
    with httpx.Client(base_url=shared.url, headers=BROWSER) as http:
        form = {"reason": "x"}
        path = "/routes/plans/rollback"
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {}, {**SAME, "HX-Request": "true"}):
            answer = http.post(path, data=form, headers=headers)
            assert answer.status_code == 401
            assert "kept" not in answer.text
        assert "kept" not in http.post("/api/v1/deployed", data=form, headers=SAME).text
        for sealed in ("x", "WyIvIixbXV0=.00"):
            http.cookies.delete(SESSION_COOKIE) if SESSION_COOKIE in http.cookies else None
            token = form_token(http.get("/login").text)
            sent = {"token": token, "secret": TOKENS[Role.VIEWER], "held": sealed, "next": "/"}
            assert http.post("/login", data=sent, headers=SAME).headers["location"] == "/"


def test_signing_in_leads_back_to_the_same_filters(shared: RunningAdmin) -> None:
    """The whole address is wanted, with its query and as it was escaped."""
    with httpx.Client(base_url=shared.url, headers=BROWSER) as http:
        led = http.get("/routes/a%2Fb?x=1&y=%20").headers["location"]
        assert led == "/login?next=%2Froutes%2Fa%252Fb%3Fx%3D1%26y%3D%2520"
        assert 'name="next" value="/routes/a%2Fb?x=1&amp;y=%20"' in http.get(led).text


def test_a_viewer_is_shown_no_buttons_and_is_refused_all_the_same(shared: RunningAdmin) -> None:
    """The page says so; a form that is sent anyway changes nothing."""
    with httpx.Client(base_url=shared.url, headers=BROWSER) as http:
        signed_in(http, Role.VIEWER)
        page = http.get("/routes/plans").text
        assert 'class="looks-only"' in page
        fields = {"token": form_token(page), "reason": "x"}
        assert http.post("/routes/plans/rollback", data=fields, headers=SAME).status_code == 403


@pytest.mark.parametrize(
    "wanted", ["//evil.example/", "https://evil.example/", "/\\evil.example", "x", "/a\r\nb", "/ä"]
)
def test_signing_in_leads_nowhere_else(shared: RunningAdmin, wanted: str) -> None:
    """An address that somebody else has made up leads to the overview."""
    with httpx.Client(base_url=shared.url) as http:
        assert signed_in(http, Role.VIEWER, wanted).headers["location"] == "/"


def test_a_forged_form_signs_nobody_in_and_changes_nothing(shared: RunningAdmin) -> None:
    """No form's token, another session's, another site; by the API a cookie does not do."""
    with httpx.Client(base_url=shared.url, headers=BROWSER) as http:
        fields = {"secret": TOKENS[Role.OPERATOR]}
        assert http.post("/login", data=fields, headers=SAME).status_code == 403
        before = form_token(http.get("/login").text)
        signed_in(http, Role.OPERATOR)
        change = {"token": before, "reason": "x", "author": "x"}
        assert http.post("/routes/plans/rollback", data=change, headers=SAME).status_code == 403
        own = {"token": form_token(http.get("/routes/plans").text), "reason": "x"}
        elsewhere = {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}
        for headers in (elsewhere, {"Sec-Fetch-Site": "same-site"}, {}):
            answer = http.post("/routes/plans/rollback", data=own, headers=headers)
            assert answer.status_code == 403
        by_api = http.post("/api/v1/routes/plans/rollback", json={"reason": "x"})
        assert by_api.status_code == 401
        assert http.get("/api/v1/status").status_code == 200


def test_a_session_ends_with_its_account(tmp_path: Path) -> None:
    """And with its token; another role counts at once."""
    file = tmp_path / "accounts"
    lines = {role: f"{account}\n" for role, (account, _) in MADE.items()}
    file.write_text("".join(lines.values()))
    with running_admin(accounts=file) as admin, httpx.Client(base_url=admin.url) as http:
        signed_in(http, Role.OPERATOR)
        assert http.get("/").status_code == 200
        file.write_text(lines[Role.OPERATOR].replace("operator operator", "operator viewer"))
        assert "looks-only" in http.get("/").text
        file.write_text(lines[Role.ADMIN])
        assert http.get("/").status_code == 401


def test_wrong_tokens_at_the_login_are_slowed_down_too(admin: RunningAdmin) -> None:
    """The page says how long to wait, and never what was right."""
    with httpx.Client(base_url=admin.url) as http:
        token = form_token(http.get("/login").text)
        fields = {"token": token, "secret": "admin.wrong", "next": "/"}
        answers = [http.post("/login", data=fields, headers=SAME) for _ in range(BURST + 1)]
        assert [answer.status_code for answer in answers] == [401] * BURST + [429]
        assert "try again in" in answers[-1].text
        assert "admin.wrong" not in answers[0].text


def test_accounts_are_made_listed_and_removed_by_the_command(tmp_path: Path) -> None:
    """The token is printed once; it works at once, and no more once it is removed."""
    file = tmp_path / "accounts"
    at = ("--file", str(file))
    made = cutover("accounts", "add", "ada", "--role", "operator", *at)
    token = made.out.strip()
    assert (made.code, token.startswith("ada.")) == (0, True)
    assert file.stat().st_mode & 0o777 == 0o600
    assert token not in file.read_text()
    assert cutover("accounts", "add", "ada", "--role", "admin", *at).code == 1
    assert "ada   operator" in cutover("accounts", "list", *at).out
    with running_admin(accounts=file) as admin:
        url = f"{admin.url}/api/v1/status"
        assert httpx.get(url, headers=bearer(token)).status_code == 200
        assert cutover("accounts", "remove", "ada", *at).code == 0
        assert httpx.get(url, headers=bearer(token)).status_code == 401
    assert cutover("accounts", "remove", "ada", *at).code == 1
    assert cutover("accounts", "list", "--file", str(tmp_path / "gone")).code == 2
