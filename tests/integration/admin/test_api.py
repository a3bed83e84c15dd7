"""Every endpoint over real HTTP, against the OpenAPI document it publishes."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest

from proxy.admin.api import BODY_MAX, STREAMS_MAX
from proxy.admin.auth import SECURITY_HEADERS
from proxy.errors import Position, RulesError, RulesProblem
from tests.support_admin import TOKEN, RunningAdmin, running_admin
from tests.support_console import DOCUMENT, FakeReport

CHANGE = {"reason": "because", "author": "ada"}


@pytest.fixture
def admin() -> Iterator[RunningAdmin]:
    """Give a running admin application that asks for no token."""
    with running_admin() as running:
        yield running


@pytest.fixture
def http(admin: RunningAdmin) -> Iterator[httpx.Client]:
    """Give a client of it."""
    with httpx.Client(base_url=admin.url) as client:
        yield client


@pytest.fixture
def document(http: httpx.Client) -> dict[str, Any]:
    """Give the OpenAPI document it publishes."""
    answer: dict[str, Any] = http.get("/api/v1/openapi.json").json()
    return answer


def faults(value: Any, schema: dict[str, Any], schemas: dict[str, Any], at: str = "$") -> list[str]:
    """Name everything in which a value is not as its schema says."""
    if "$ref" in schema:
        return faults(value, schemas[schema["$ref"].rpartition("/")[2]], schemas, at)
    if schema == {}:
        return []
    if "oneOf" in schema:
        tried = [faults(value, each, schemas, at) for each in schema["oneOf"]]
        return [] if [] in tried else [f"{at}: fits none of oneOf: {tried}"]
    if schema["type"] == "array":
        if not isinstance(value, list):
            return [f"{at}: is no array"]
        return [
            fault
            for index, item in enumerate(value)
            for fault in faults(item, schema["items"], schemas, f"{at}[{index}]")
        ]
    if schema["type"] == "object":
        return object_faults(value, schema, schemas, at)
    kinds: dict[str, Any] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
    if schema["type"] == "null":
        return [] if value is None else [f"{at}: is not null"]
    fits = isinstance(value, kinds[schema["type"]])
    if isinstance(value, bool) and schema["type"] != "boolean":
        fits = False
    if fits and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return [f"{at}: {value} is out of bounds"]
    return [] if fits else [f"{at}: {value!r} is no {schema['type']}"]


def object_faults(
    value: Any, schema: dict[str, Any], schemas: dict[str, Any], at: str
) -> list[str]:
    """Do the same for an object."""
    if not isinstance(value, dict):
        return [f"{at}: is no object"]
    properties = schema.get("properties", {})
    extra = schema.get("additionalProperties", True)
    found = [f"{at}.{name}: is missing" for name in schema.get("required", []) if name not in value]
    for name, member in value.items():
        if name in properties:
            found += faults(member, properties[name], schemas, f"{at}.{name}")
        elif extra is False:
            found.append(f"{at}.{name}: is not described")
        elif isinstance(extra, dict):
            found += faults(member, extra, schemas, f"{at}.{name}")
    return found


REQUESTS: dict[str, tuple[str, dict[str, Any] | None]] = {
    "status": ("/status", None),
    "routes": ("/routes", None),
    "route": ("/routes/billing.history", None),
    "route_report": ("/routes/subscriptions.list/report", None),
    "set_weight": ("/routes/plans/weight", {"weight": "12.5%", **CHANGE}),
    "rollback": ("/routes/plans/rollback", CHANGE),
    "resume": ("/routes/billing.history/resume", {"force": True, "weight": 1, **CHANGE}),
    "resume_writes": ("/routes/subscriptions.create/resume-writes", CHANGE),
    "advance": ("/routes/subscriptions.list/advance", {"force": True, **CHANGE}),
    "hold": ("/routes/subscriptions.list/hold", CHANGE),
    "approve": ("/routes/subscriptions.list/approve", CHANGE),
    "pins": ("/pins", None),
    "outcomes": ("/outcomes?since=2026-01-01&limit=1&after=0", None),
    "health": ("/health", None),
    "preview": ("/routes/plans/preview?weight=25", None),
    "series": ("/series?route=plans&range=24h", None),
    "pin": ("/pin", {"identity": "header:X-Id=7", "side": "modern", "routes": [], **CHANGE}),
    "unpin": ("/unpin", {"identity": "header:X-Id=7", **CHANGE}),
    "deployed": ("/deployed", CHANGE),
    "set_kill_switch": ("/kill-switch", {"on": True, **CHANGE}),
    "recording": ("/recording", None),
    "start_recording": (
        "/recording/start",
        {"routes": ["plans"], "share": "12.5%", "seconds": 60, "bytes": 1_000_000, **CHANGE},
    ),
    "stop_recording": ("/recording/stop", CHANGE),
    "audit": ("/audit", None),
    "export_rules": ("/rules", None),
    "import_rules": ("/rules", {"text": DOCUMENT, **CHANGE}),
    "check_rules": (
        "/rules/check",
        {
            "text": "version: [",
        },
    ),
    "version_diff": ("/versions/19/diff?against=18", None),
    "revert": ("/versions/18/revert", CHANGE),
    "versions": ("/versions?limit=1", None),
    "version": ("/versions/18", None),
    "decisions": ("/decisions?limit=1", None),
    "decision": ("/decisions/1", None),
    "differences": ("/differences", None),
    "proposals": ("/differences/proposals?route=plans", None),
    "accept_proposal": (
        f"/differences/proposals/{FakeReport().proposed[0].id}/accept",
        {"until": "2999-12-31", "owner": "billing", **CHANGE},
    ),
    "ignore_rules": ("/differences/rules?route=plans", None),
    "difference": ("/differences/9f1c2ab4d0e17735", None),
    "acceptance": (
        "/differences/47aa10f3c2b9d811/acceptance?path=$.data[*].history_url",
        None,
    ),
    "export_differences": ("/differences/export?as=csv&state=open", None),
    "export_difference": ("/differences/9f1c2ab4d0e17735/export?as=pytest", None),
    "accept_difference": (
        "/differences/9f1c2ab4d0e17735/accept",
        {"until": "2999-12-31", "critical": True, "owner": "billing", **CHANGE},
    ),
    "fix_difference": ("/differences/9f1c2ab4d0e17735/fixed", CHANGE),
    "coverage": ("/coverage?since=2026-01-01T00:00:00Z", None),
    "explain": ("/explain", {"target": "/api/plans", "headers": {"Cookie": "PHPSESSID=3f"}}),
    "settings": ("/settings", None),
    "replays": ("/replays", None),
    "openapi": ("/openapi.json", None),
}


OF_ACCOUNTS = {"accounts", "add_account", "give_role", "remove_account"}
OF_REPLAYS = {"replay", "start_replay", "stop_replay"}
"""Where there are no accounts, these are refused; `test_accounts` asks them."""


def test_every_operation_takes_and_answers_what_the_document_says(
    admin: RunningAdmin, http: httpx.Client, document: dict[str, Any]
) -> None:
    """Request and answer of each fit their schemas; nothing is missing, nothing undescribed."""
    schemas = document["components"]["schemas"]
    operations = {
        operation["operationId"]: (method, operation)
        for item in document["paths"].values()
        for method, operation in item.items()
    }
    assert set(operations) - {"events"} - OF_ACCOUNTS - OF_REPLAYS == set(REQUESTS)
    admin.controller.halt_writes("subscriptions.create")
    for name, (path, body) in REQUESTS.items():
        method, operation = operations[name]
        if body is not None:
            content = operation["requestBody"]["content"]["application/json"]
            assert faults(body, content["schema"], schemas) == []
        answer = http.request(method, f"/api/v1{path}", json=body)
        assert answer.status_code == 200, answer.text
        ((kind, content),) = operation["responses"]["200"]["content"].items()
        found = answer.json() if kind == "application/json" else answer.text
        assert faults(found, content["schema"], schemas) == [], name


def test_a_step_before_its_time_needs_force(http: httpx.Client) -> None:
    """What is missing is told; a route without a plan has no step."""
    path = "/api/v1/routes/subscriptions.list/advance"
    refused = http.post(path, json=CHANGE)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:cutover:problem:refused")
    assert "875 more requests on modern, about 7 min" in refused.json()["detail"]
    assert http.post(path, json={"force": True, **CHANGE}).status_code == 200
    none = http.post("/api/v1/routes/everything-else/hold", json=CHANGE)
    assert (none.status_code, "has no plan" in none.text) == (409, True)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"side": "modern"}, "identity"),
        ({"identity": "client_ip=10.0.0.9", "side": "new"}, "is neither legacy nor modern"),
        ({"identity": "client_ip=10.0.0.9", "side": "modern", "routes": "plans"}, "routes"),
        ({"identity": "client_ip=10.0.0.9", "side": "modern", "until": "x"}, "until"),
    ],
)
def test_a_pin_that_is_none_is_refused(http: httpx.Client, body: dict[str, Any], said: str) -> None:
    """With what is wrong and where."""
    answer = http.post("/api/v1/pin", json={**body, **CHANGE})
    assert answer.status_code == 422
    assert said in answer.text


def test_the_names_of_fields_are_of_no_case(admin: RunningAdmin, http: httpx.Client) -> None:
    """A pin is written as the rules would write it."""
    body = {"identity": "header:X-Id=Seven", "side": "modern", **CHANGE}
    assert http.post("/api/v1/pin", json=body).status_code == 200
    assert admin.controller.journal[-1].evidence["identity"] == "header:x-id=Seven"


def test_the_document_describes_the_routes_that_are_served(document: dict[str, Any]) -> None:
    """Neither more nor less than the application answers below /api/v1."""
    with running_admin() as running, httpx.Client(base_url=running.url) as http:
        for path, item in document["paths"].items():
            concrete = re.sub(r"\{\w+\}", "1", path)
            answer = http.request("TRACE", concrete, headers={"Sec-Fetch-Site": "none"})
            assert answer.status_code == 405, path
            allowed = set(answer.headers["allow"].lower().split(", ")) - {"head"}
            assert allowed == set(item), path


def test_a_change_makes_a_version_and_says_so(admin: RunningAdmin, http: httpx.Client) -> None:
    """Version, author and reason go on record, and the ETag is the new version."""
    before = http.get("/api/v1/routes/plans")
    answer = http.put("/api/v1/routes/plans/weight", json={"weight": 50, **CHANGE})
    after = http.get("/api/v1/routes/plans")
    assert (before.headers["etag"], after.headers["etag"]) == ('"18"', '"19"')
    assert answer.headers["etag"] == '"19"'
    assert (answer.json()["author"], answer.json()["reason"]) == ("ada", "because")
    assert after.json()["weight_configured"] == 50
    assert admin.controller.routes["plans"].weight_configured == 5000


def test_a_change_under_if_match_loses_to_a_newer_version(http: httpx.Client) -> None:
    """The second of two writers is told what the first one did, and changes nothing."""
    etag = http.get("/api/v1/routes").headers["etag"]
    first = http.put(
        "/api/v1/routes/plans/weight", json={"weight": 20, **CHANGE}, headers={"If-Match": etag}
    )
    second = http.put(
        "/api/v1/routes/plans/weight", json={"weight": 30, **CHANGE}, headers={"If-Match": etag}
    )
    assert (first.status_code, second.status_code) == (200, 412)
    problem = second.json()
    assert problem["type"] == "urn:cutover:problem:precondition-failed"
    assert problem["current_version"] == 19
    assert [(c["number"], c["author"]) for c in problem["changes"]] == [(19, "ada")]
    assert "19 by ada: because" in problem["detail"]
    assert http.get("/api/v1/routes/plans").json()["weight_configured"] == 20


def test_if_match_guards_every_change(http: httpx.Client) -> None:
    """Also the kill switch, when somebody asks for it; `*` means any version."""
    old, any_version = {"If-Match": '"3"'}, {"If-Match": "*"}
    for method, path, body in (
        ("POST", "/routes/plans/rollback", CHANGE),
        ("POST", "/routes/plans/resume", CHANGE),
        ("POST", "/routes/subscriptions.create/resume-writes", CHANGE),
        ("PUT", "/kill-switch", {"on": True, **CHANGE}),
    ):
        answer = http.request(method, f"/api/v1{path}", json=body, headers=old)
        assert answer.status_code == 412, path
    answer = http.put("/api/v1/kill-switch", json={"on": True, **CHANGE}, headers=any_version)
    assert answer.status_code == 200
    assert http.get("/api/v1/status").json()["kill_switch"] is True
    for tag in ('W/"18"', "18", '"18", "19"', '"x"'):
        answer = http.put(
            "/api/v1/kill-switch", json={"on": True, **CHANGE}, headers={"If-Match": tag}
        )
        assert answer.status_code == 422, tag


def test_what_is_not_allowed_now_is_refused_with_the_way_out(http: httpx.Client) -> None:
    """A rolled back route takes no weight, and resumes before its cool-down only by force."""
    weight = http.put("/api/v1/routes/billing.history/weight", json={"weight": 1, **CHANGE})
    early = http.post("/api/v1/routes/billing.history/resume", json=CHANGE)
    assert (weight.status_code, early.status_code) == (409, 409)
    assert weight.json()["type"] == "urn:cutover:problem:refused"
    assert "resume" in weight.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/routes/plnas", 404, "Did you mean plans?"),
        ("PUT", "/routes/plnas/weight", 404, "Did you mean plans?"),
        ("POST", "/routes/plnas/rollback", 404, "Did you mean plans?"),
        ("GET", "/routes/%0a%1b[2J", 404, "There is no route"),
        ("GET", "/versions/999", 404, "999"),
        ("GET", "/versions/last", 404, "they are numbered"),
        ("GET", "/decisions/999", 404, "999"),
        ("GET", "/decisions/-1", 404, "they are numbered"),
        ("GET", "/differences/nothing", 404, "nothing"),
        ("GET", "/differences/nothing/export", 404, "nothing"),
        ("POST", "/differences/nothing/fixed", 404, "nothing"),
        ("GET", "/differences/export?as=pdf", 422, "html, json, csv, curl, pytest"),
        ("GET", "/differences?state=closed", 422, "open, expected, fixed"),
        ("GET", "/versions?limit=0", 422, "limit"),
        ("GET", "/differences?critical=maybe", 422, "critical"),
        ("GET", "/differences?kind=odd", 422, "missing, extra"),
        ("GET", "/differences?since_version=new", 422, "since_version"),
        ("GET", f"/differences?search={'x' * 201}", 422, "200 characters"),
        ("GET", f"/differences?search={'+'.join('abcdefghijk')}", 422, "10 words"),
        ("GET", "/coverage?since=soon", 422, "since"),
        ("GET", "/nowhere", 404, "/api/v1/nowhere"),
        ("DELETE", "/routes", 405, "DELETE"),
    ],
)
def test_an_error_is_a_problem_that_says_what_and_where(
    http: httpx.Client, method: str, path: str, status: int, words: str
) -> None:
    """Every error is application/problem+json with the members of RFC 9457."""
    body = {"weight": 1, **CHANGE} if path.endswith("/weight") else CHANGE
    json_body = None if method == "GET" else body
    answer = http.request(method, f"/api/v1{path}", json=json_body)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in problem["detail"] + problem.get("mend", "")
    assert problem["instance"].startswith("/api/v1/")


def test_refused_rules_come_with_their_position(
    admin: RunningAdmin, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `cutover check` would say, the API says too."""

    async def refuse(*_: object, **__: object) -> None:
        raise RulesError((RulesProblem(Position("rules.yaml", 7, 3), "unknown plan"),))

    monkeypatch.setattr(admin.controller, "set_weight", refuse)
    answer = http.put("/api/v1/routes/plans/weight", json={"weight": 1, **CHANGE})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["where"] == "rules.yaml:7:3"


def test_a_crash_tells_nothing_and_keeps_the_security_headers(
    admin: RunningAdmin, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log knows; the client learns where to look."""

    def crash() -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(admin.controller, "status", crash)
    answer = http.get("/api/v1/status")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")


def test_a_dead_store_of_comparisons_is_told_and_hurts_nothing_else(
    admin: RunningAdmin, http: httpx.Client
) -> None:
    """Differences cannot be read, routes can."""
    admin.report.broken = True
    for path in ("/differences", "/differences/x", "/coverage"):
        answer = http.get(f"/api/v1{path}")
        assert answer.status_code == 503, path
        assert "disk full" in answer.json()["detail"]
    assert http.get("/api/v1/routes").status_code == 200


def test_lists_are_read_page_by_page(http: httpx.Client) -> None:
    """`next_before` leads through all of it, newest first, and ends with null."""
    for weight in range(1, 6):
        http.put("/api/v1/routes/plans/weight", json={"weight": weight, **CHANGE})
    for kind, key in (("versions", "number"), ("decisions", "id")):
        seen: list[int] = []
        before: int | None = None
        while True:
            query = {"limit": 2} | ({} if before is None else {"before": before})
            page = http.get(f"/api/v1/{kind}", params=query).json()
            seen += [each[key] for each in page[kind]]
            before = page["next_before"]
            if before is None:
                break
        assert seen == sorted(seen, reverse=True)
        assert len(seen) == 6
    page = http.get("/api/v1/differences", params={"limit": 2}).json()
    rest = http.get("/api/v1/differences", params={"offset": page["next_offset"]}).json()
    assert (len(page["differences"]), len(rest["differences"])) == (2, 1)
    assert rest["next_offset"] is None


def test_a_list_goes_on_after_a_group(http: httpx.Client) -> None:
    """By the cursor of the last answer; a cursor that is none is told to be."""
    seen: list[str] = []
    query = {"limit": "2"}
    while True:
        page = http.get("/api/v1/differences", params=query).json()
        seen += [each["id"] for each in page["differences"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == ["9f1c2ab4d0e17735", "c0ffee00c0ffee00", "47aa10f3c2b9d811"]
    assert http.get("/api/v1/differences", params={"cursor": "x"}).status_code == 422


def test_what_a_rule_would_cover_is_told_before_it_is_made(http: httpx.Client) -> None:
    """Each stored sample, with what would be left of it; only places of the group are taken."""
    address = "/api/v1/differences/9f1c2ab4d0e17735/acceptance"
    found = http.get(address).json()
    assert found["paths"] == ["$.data[*].price"]
    assert found["critical"]
    assert [each["left"] for each in found["samples"]] == [["$.data[id=2].features.sla"]] * 2
    assert http.get(address, params={"path": "$.other"}).status_code == 422
    assert http.get("/api/v1/differences/nope/acceptance").status_code == 404


def test_lists_are_filtered(http: httpx.Client) -> None:
    """By route, and differences by whether they are critical."""
    http.put("/api/v1/routes/plans/weight", json={"weight": 3, **CHANGE})
    found = http.get("/api/v1/decisions", params={"route": "plans"}).json()
    assert {each["route"] for each in found["decisions"]} == {"plans"}
    found = http.get("/api/v1/differences", params={"critical": "true", "route": "plans"}).json()
    assert [each["id"] for each in found["differences"]] == ["9f1c2ab4d0e17735"]
    found = http.get("/api/v1/coverage", params={"route": "plans"}).json()
    assert [each["route"] for each in found["coverage"]] == ["plans"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "History_URL missing"}, ["47aa10f3c2b9d811"]),
        ({"search": "subscriptions.list"}, ["c0ffee00c0ffee00", "47aa10f3c2b9d811"]),
        ({"search": "29.5", "kind": "value_changed"}, ["9f1c2ab4d0e17735"]),
        ({"search": "29.5", "kind": "missing"}, []),
        ({"kind": "length_changed"}, ["47aa10f3c2b9d811"]),
        ({"since_version": "10"}, []),
        ({"since_version": "9", "state": "open", "route": "plans"}, ["9f1c2ab4d0e17735"]),
    ],
)
def test_differences_are_searched_and_exported_alike(
    http: httpx.Client, query: dict[str, str], found: list[str]
) -> None:
    """By words, by kind, and by what is new; the file holds what is listed."""
    listed = http.get("/api/v1/differences", params=query).json()["differences"]
    assert [each["id"] for each in listed] == found
    file = http.get("/api/v1/differences/export", params={"as": "json", **query}).json()
    assert [each["id"] for each in file["differences"]] == found


def test_an_explanation_follows_the_version_in_force(http: httpx.Client) -> None:
    """After a rollback the same request is explained by the rollback."""
    request = {"target": "/api/plans", "headers": {"Cookie": "PHPSESSID=3f"}}
    before = http.post("/api/v1/explain", json=request).json()
    http.post("/api/v1/routes/plans/rollback", json=CHANGE)
    after = http.post("/api/v1/explain", json=request).json()
    assert (before["version"], before["reason"]) == (18, "bucket")
    assert (after["version"], after["reason"]) == (19, "rolled_back")
    refused = http.post("/api/v1/explain", json={"target": "/../../etc"})
    assert refused.status_code == 422
    assert "refuses this request with 400" in refused.json()["detail"]


def test_events_tell_a_rollback_when_it_happens(admin: RunningAdmin, http: httpx.Client) -> None:
    """Version and decision arrive without asking again."""
    seen: list[str] = []
    with http.stream("GET", "/api/v1/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("event: "):
                seen.append(line[7:])
                if len(seen) == 1:
                    admin.controller.take_back("plans", "cutover", "errors", {})
            if line.startswith("data: ") and seen[-1] == "decision":
                assert json.loads(line[6:])["action"] == "rollback"
                break
    assert seen[0] == "status"
    assert seen[-2:] == ["version", "decision"]


def test_streams_of_events_are_bounded(
    admin: RunningAdmin, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One too many is told to poll instead; the place of one that left is free again."""
    monkeypatch.setattr("proxy.admin.api.STREAMS_MAX", 1)
    assert STREAMS_MAX > 1
    with http.stream("GET", "/api/v1/events") as stream:
        lines = stream.iter_lines()  # held on to: dropping it would close the stream
        assert next(lines) == "retry: 1000"
        refused = httpx.get(f"{admin.url}/api/v1/events")
        assert refused.status_code == 503
        assert refused.json()["type"] == "urn:cutover:problem:busy"


def test_metrics_and_health_stand_outside_the_api(admin: RunningAdmin, http: httpx.Client) -> None:
    """Prometheus text; alive always, ready once there are rules."""
    metrics = http.get("/metrics")
    assert metrics.text == "cutover_rules_version 18\n"
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert http.get("/livez").text == "alive\n"
    assert http.get("/readyz").text == "ready: rules version 18\n"
    admin.controller.number = 0
    assert http.get("/readyz").status_code == 503
    assert http.get("/livez").status_code == 200


def test_every_answer_carries_the_security_headers(http: httpx.Client) -> None:
    """Pages, JSON, problems, metrics and refusals alike."""
    answers = [
        http.get("/"),
        http.get("/api/v1/status"),
        http.get("/api/v1/nowhere"),
        http.get("/nowhere"),
        http.get("/metrics"),
        http.get("/livez"),
        http.get("/", headers={"Host": "evil.example"}),
    ]
    for answer in answers:
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers[name] == value, answer.request.url
        assert answer.headers["cache-control"] == "no-store"
    assert "unsafe" not in answers[0].headers["content-security-policy"]


def test_a_rebound_name_reaches_nothing(http: httpx.Client, admin: RunningAdmin) -> None:
    """The page of a site whose name was let resolve to 127.0.0.1 is answered 421."""
    for path in ("/", "/api/v1/status", "/metrics", "/static/console.css"):
        answer = http.get(path, headers={"Host": f"evil.example:{admin.port}"})
        assert answer.status_code == 421, path
    assert http.get("/", headers={"Host": f"localhost:{admin.port}"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example", "Content-Type": "application/json"},
        {"Origin": "null", "Content-Type": "application/json"},
        {"Sec-Fetch-Site": "cross-site", "Content-Type": "application/json"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {},
    ],
)
def test_another_site_changes_nothing(
    admin: RunningAdmin, http: httpx.Client, headers: dict[str, str]
) -> None:
    """Not through the API, and not through the console's forms."""
    for path in ("/api/v1/routes/plans/rollback", "/routes/plans/rollback", "/kill-switch"):
        answer = http.post(path, content=json.dumps(CHANGE), headers=headers)
        assert answer.status_code == 403, path
    assert admin.controller.number == 18


def test_the_api_takes_json_only(http: httpx.Client) -> None:
    """Our own pages may send forms, but not here."""
    answer = http.post(
        "/api/v1/routes/plans/rollback",
        data={"reason": "x"},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 415


@pytest.mark.parametrize("chunked", [True, False])
def test_an_oversized_body_is_refused_early(http: httpx.Client, chunked: bool) -> None:
    """Whether its length was announced or not."""
    body = b'{"reason": "' + b"x" * (BODY_MAX * 4) + b'"}'
    content = iter([body[:1000], body[1000:]]) if chunked else body
    answer = http.post(
        "/api/v1/routes/plans/rollback",
        content=content,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 413


def test_depth_is_harmless(http: httpx.Client) -> None:
    """A body that is nothing but brackets is not JSON we read."""
    for body in (b"[" * 60_000, b'{"reason":' * 5_000 + b"1" + b"}" * 5_000):
        answer = http.post(
            "/api/v1/routes/plans/rollback",
            content=body,
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code == 400


def test_two_hosts_in_one_request_are_refused(admin: RunningAdmin) -> None:
    """Whoever stands in between may have read the other one."""
    with socket.create_connection(("127.0.0.1", admin.port), timeout=10) as raw:
        raw.sendall(
            b"GET /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nHost: evil.example\r\n"
            b"Connection: close\r\n\r\n" % admin.port
        )
        assert raw.recv(64).split()[1] in (b"400", b"421")


def test_with_a_token_nothing_but_health_is_told_without_it() -> None:
    """Scripts send it as Bearer, browsers as the password they were asked for."""
    with running_admin(TOKEN) as admin, httpx.Client(base_url=admin.url) as http:
        for path in ("/", "/api/v1/status", "/api/v1/events", "/metrics", "/static/console.css"):
            answer = http.get(path)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"].startswith("Basic realm=")
        assert http.get("/livez").status_code == 200
        assert http.get("/readyz").status_code == 200
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert http.get("/api/v1/status", headers=bearer).status_code == 200
        assert http.get("/", auth=("ada", TOKEN)).status_code == 200
        assert http.get("/", auth=("ada", "wrong" * 5)).status_code == 401
        elsewhere = {**bearer, "Host": "proxy.internal"}
        assert http.get("/api/v1/status", headers=elsewhere).status_code == 200
        forged = {**bearer, "Origin": "http://evil.example"}
        answer = http.post("/api/v1/routes/plans/rollback", json=CHANGE, headers=forged)
        assert answer.status_code == 403


ACCEPT = "/api/v1/differences/9f1c2ab4d0e17735/accept"


def test_accepting_makes_rules_and_marks_the_signature(
    admin: RunningAdmin, http: httpx.Client
) -> None:
    """A new version with a rule for each place; from then on the signature is expected."""
    wanted = {"until": "2999-12-31", "critical": True, "owner": "billing", **CHANGE}
    answer = http.post(ACCEPT, json=wanted)
    assert answer.headers["etag"] == '"19"'
    assert answer.json()["evidence"]["signature"] == "9f1c2ab4d0e17735"
    (rule,) = admin.controller.ignored["plans"]
    assert (rule.path, rule.reason, rule.owner) == ("$.data[*].price", "because", "billing")
    assert rule.until == date(2999, 12, 31)
    found = http.get("/api/v1/differences/9f1c2ab4d0e17735").json()
    assert (found["state"], found["state_author"]) == ("expected", "ada")
    assert found["state_version"] == 19
    assert http.get("/api/v1/differences?state=expected").json()["differences"][0]["id"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"until": "2020-01-01"}, "has ended already"),
        ({"until": "soon"}, "is not a date"),
        ({"critical": False}, "--critical"),
        ({"paths": ["$.other"]}, "does not differ at $.other"),
        ({"paths": "$.other"}, "must be a list of strings"),
        ({"reason": ""}, "reason"),
    ],
)
def test_what_no_rule_can_be_made_of_is_refused(
    admin: RunningAdmin, http: httpx.Client, change: dict[str, Any], words: str
) -> None:
    """With how to mend it; nothing is changed."""
    wanted = {"until": "2999-12-31", "critical": True, **CHANGE, **change}
    answer = http.post(ACCEPT, json=wanted)
    assert answer.status_code == 422
    assert words in answer.text
    assert admin.controller.ignored == {}


def test_accepting_under_if_match_loses_to_a_newer_version(http: httpx.Client) -> None:
    """As every change of the rules."""
    wanted = {"until": "2999-12-31", "critical": True, **CHANGE}
    assert http.post(ACCEPT, json=wanted, headers={"If-Match": '"3"'}).status_code == 412


def test_fixed_is_marked_with_who_and_why(http: httpx.Client) -> None:
    """And answered as the signature is now."""
    found = http.post("/api/v1/differences/9f1c2ab4d0e17735/fixed", json=CHANGE).json()
    assert (found["state"], found["state_author"], found["state_reason"]) == (
        "fixed", "ada", "because",
    )  # fmt: skip
    assert len(found["samples"]) == 2


def test_files_have_a_name_and_a_type(http: httpx.Client) -> None:
    """So that a browser saves them, and never shows what came from an application as our page."""
    answer = http.get("/api/v1/differences/9f1c2ab4d0e17735/export")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    disposition = answer.headers["content-disposition"]
    assert disposition == 'attachment; filename="difference-9f1c2ab4d0e17735.html"'
    assert "29.00" in answer.text
    everything = http.get("/api/v1/differences/export?as=json").json()
    assert [len(each["samples"]) for each in everything["differences"]] == [2, 0, 0]
