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
    "accounts": "admin",
    "add_account": "admin",
    "give_role": "admin",
    "remove_account": "admin",
    "settings": "admin",
    "replays": "viewer",
    "replay": "viewer",
    "start_replay": "operator",
    "stop_replay": "operator",
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


OF_ADMINS = {
    ("/rules/edit", "POST"),
    ("/settings", "GET"),
    ("/accounts", "GET"),
    ("/accounts", "POST"),
    ("/accounts/1/role", "POST"),
    ("/accounts/1/remove", "POST"),
}


@pytest.mark.parametrize(("path", "method"), [*PAGES, ("/metrics", "GET"), ("/nowhere", "POST")])
def test_who_may_use_a_page(shared: RunningAdmin, path: str, method: str) -> None:
    """Viewers look and ask, operators send forms, admins some more; even where there is nothing."""
    path = re.sub(r"\{\w+(:\w+)?\}", "1", path)
    assert asked(shared, method, path, None) == 401
    refused = {role for role in Role if asked(shared, method, path, role) == 403}
    if (path, method) in OF_ADMINS:
        assert refused == {Role.VIEWER, Role.OPERATOR}
    else:
        assert refused == ({Role.VIEWER} if method == "POST" and path != "/explain" else set())


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


def test_admins_add_accounts_give_roles_and_remove_them(tmp_path: Path) -> None:
    """At once, by the API and the console; on record; and never so that no admin is left."""
    file = tmp_path / "accounts"
    file.write_text("# ours\n" + "".join(f"{account}\n" for account, _ in MADE.values()))
    why = {"reason": "joins the team"}
    with running_admin(accounts=file) as admin:
        with httpx.Client(
            base_url=f"{admin.url}/api/v1", headers=bearer(TOKENS[Role.ADMIN])
        ) as root:
            made = root.post("/accounts", json={"name": "ada", "role": "viewer", **why}).json()
        with (
            httpx.Client(base_url=root.base_url, headers=root.headers) as root,
            httpx.Client(base_url=root.base_url, headers=bearer(made["token"])) as ada,
        ):
            assert ada.get("/status").status_code == 200
            assert ada.get("/accounts").status_code == 403
            assert ada.post("/routes/plans/rollback", json={"reason": "x"}).status_code == 403
            assert root.post("/accounts/ada/role", json={"role": "operator", **why}).is_success
            assert ada.post("/routes/plans/rollback", json={"reason": "x"}).status_code == 200
            found = {each["name"]: each for each in root.get("/accounts").json()["accounts"]}
            assert found["ada"]["role"] == "operator"
            assert found["ada"]["used"] is not None
            assert found["viewer"]["used"] is None
            for refused in (
                root.post("/accounts", json={"name": "ada", "role": "viewer", **why}),
                root.post("/accounts", json={"name": "a b\nroot", "role": "viewer", **why}),
                root.post("/accounts", json={"name": "bob", "role": "god", **why}),
                root.post("/accounts/admin/role", json={"role": "viewer", **why}),
                root.post("/accounts/admin/remove", json=why),
            ):
                assert refused.status_code in (409, 422), refused.text
            assert root.post("/accounts/nobody/remove", json=why).status_code == 404
            assert root.post("/accounts/ada/remove", json=why).is_success
            assert ada.get("/status").status_code == 401
        actions = [each.action for each in admin.controller.journal if "account" in each.action]
        assert actions == ["account_add", "account_role", "account_remove"]
        assert admin.controller.journal[-1].author == "admin"
        assert made["token"] not in repr(admin.controller.journal)
    assert file.read_text().startswith("# ours\n")


def test_a_token_is_shown_once_and_the_page_never_again(tmp_path: Path) -> None:
    """In the answer to the form; the list has no secret, and the form no second use."""
    file = tmp_path / "accounts"
    file.write_text("".join(f"{account}\n" for account, _ in MADE.values()))
    with (
        running_admin(accounts=file) as admin,
        httpx.Client(base_url=admin.url, headers=BROWSER) as http,
    ):
        signed_in(http, Role.ADMIN)
        fields = {"token": form_token(http.get("/accounts").text), "reason": "new", "name": "bob"}
        refused = http.post("/accounts", data={**fields, "role": "god"}, headers=SAME)
        assert refused.status_code == 422
        assert 'value="bob"' in refused.text
        page = http.post("/accounts", data={**fields, "role": "operator"}, headers=SAME)
        token = re.search(r"bob\.[\w-]{40,}", page.text)
        assert token is not None
        assert page.headers["cache-control"] == "no-store"
        listed = http.get("/accounts").text
        assert "bob" in listed
        assert token[0] not in listed
        assert "argon2" not in listed
        assert httpx.get(f"{admin.url}/api/v1/status", headers=bearer(token[0])).is_success
        last = {"token": fields["token"], "reason": "x", "role": "viewer"}
        alone = http.post("/accounts/admin/role", data=last, headers=SAME)
        assert "is the last admin" in alone.text


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
