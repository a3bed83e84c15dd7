from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from deploy.stack.database import Database
from deploy.stack.mariadb import MariaDb

NewUser = Callable[..., dict[str, object]]

FIELDS = [
    "id",
    "user_id",
    "plan_id",
    "plan_name",
    "status",
    "price",
    "currency",
    "next_billing_date",
    "created_at",
]


def test_one_subscription_to_the_byte(client: httpx.Client) -> None:
    """A subscription carries its plan's name and price, and where its charges are."""
    answer = client.get("/api/subscriptions/40")
    assert answer.status_code == 200
    assert answer.content == (
        rb'{"status":"ok","data":{"id":40,"user_id":1105,"plan_id":2,"plan_name":"Team",'
        rb'"status":"active","price":"29.00","currency":"EUR","next_billing_date":"2026-11-23",'
        rb'"created_at":"2024-11-23 10:08:52",'
        rb'"history_url":"\/api\/billing\/history?user_id=1105"}}'
    )


def test_list_of_one_user(client: httpx.Client) -> None:
    """The list is ordered by id, without history_url, with the filters at the end of meta."""
    answer = client.get("/api/subscriptions?status=active&user_id=1")
    body = answer.json()
    assert [(row["id"], row["plan_name"]) for row in body["data"]] == [
        (216, "Team"),
        (532, "Basic"),
    ]
    assert [list(row) for row in body["data"]] == [FIELDS, FIELDS]
    assert list(body["meta"]) == ["page", "per_page", "total", "generated_at", "filters"]
    assert list(body["meta"]["filters"].items()) == [("user_id", "1"), ("status", "active")]
    assert (body["meta"]["page"], body["meta"]["per_page"], body["meta"]["total"]) == (1, 20, 2)


def test_pages(client: httpx.Client) -> None:
    """Pages hold 20 rows by id and follow each other without a gap."""
    rows = [client.get(f"/api/subscriptions?page={page}").json()["data"] for page in (1, 2)]
    assert [row["id"] for page in rows for row in page] == list(range(1, 41))


def test_a_page_beyond_the_end_is_empty(client: httpx.Client) -> None:
    """Beyond the last page there is an empty list; no filters at all are an empty list, too."""
    answer = client.get("/api/subscriptions?page=999999999")
    assert answer.json()["data"] == []
    assert answer.json()["meta"]["page"] == 999999999
    assert answer.content.endswith(b'"filters":[]}}')


@pytest.mark.parametrize(
    "page", ["0", "-1", "1.5", "abc", "", "+2", "2 ", "1e1", "9999999999", "٣"]
)
def test_a_page_that_is_no_positive_integer_counts_as_one(client: httpx.Client, page: str) -> None:
    """Whatever is no positive integer of at most nine digits is the first page."""
    body = client.get("/api/subscriptions", params={"page": page}).json()
    assert body["meta"]["page"] == 1
    assert body["data"][0]["id"] == 1


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("user_id=abc", '{"user_id":"abc"}'),
        ("user_id=1x", '{"user_id":"1x"}'),
        ("user_id=-1", '{"user_id":"-1"}'),
        ("user_id=99999999999999999999", '{"user_id":"99999999999999999999"}'),
        ("status=ACTIVE", '{"status":"ACTIVE"}'),
        ("status=active%20", '{"status":"active "}'),
        ("status=1", '{"status":"1"}'),
        ("user_id=1%27%20OR%20%271%27=%271", r"""{"user_id":"1' OR '1'='1"}"""),
        ("status=x%27%20OR%201=1--%20", r"""{"status":"x' OR 1=1-- "}"""),
    ],
)
def test_a_filter_that_fits_nothing(client: httpx.Client, query: str, filters: str) -> None:
    """A filter without meaning matches nothing, SQL in it included, and is repeated as given."""
    answer = client.get(f"/api/subscriptions?{query}")
    assert answer.status_code == 200
    assert answer.json()["data"] == []
    assert answer.json()["meta"]["total"] == 0
    assert answer.text.endswith(f'"filters":{filters}}}}}')


@pytest.mark.parametrize("query", ["user_id=", "status=", "user_id[]=1", "status[a]=active"])
def test_a_filter_that_counts_as_not_given(client: httpx.Client, query: str) -> None:
    """An empty filter, and one given as a list, filter nothing."""
    answer = client.get(f"/api/subscriptions?{query}")
    assert len(answer.json()["data"]) == 20
    assert answer.json()["meta"]["filters"] == []


@pytest.mark.parametrize("status", ["active", "cancelled", "past_due"])
def test_by_status(client: httpx.Client, status: str) -> None:
    """The status filter keeps only rows of that status."""
    rows = client.get(f"/api/subscriptions?status={status}").json()["data"]
    assert {row["status"] for row in rows} == {status}


def test_a_list_asks_for_the_plan_of_each_row(
    client: httpx.Client, mariadb_server: MariaDb
) -> None:
    """One page costs N+1 queries: a count, the rows, and a plan for each of the twenty."""
    mariadb_server.sql("TRUNCATE mysql.general_log; SET GLOBAL log_output = 'TABLE'")
    mariadb_server.sql("SET GLOBAL general_log = 1")
    try:
        client.get("/api/subscriptions?page=3")
    finally:
        mariadb_server.sql("SET GLOBAL general_log = 0")
    count = mariadb_server.sql(
        "SELECT COUNT(*) FROM mysql.general_log WHERE command_type = 'Execute'"
        " AND user_host LIKE '%legacy_scratch%'"
    )
    assert int(count) == 22


def test_create(client: httpx.Client, new_user: NewUser) -> None:
    """A new subscription is active, due in a year, and has one pending charge of its price."""
    user = new_user()
    answer = client.post("/api/subscriptions", json={"user_id": user["id"], "plan_id": "4"})
    assert answer.status_code == 201
    made = answer.json()["data"]
    assert list(made) == FIELDS
    year = int(made["created_at"][:4])
    assert made["next_billing_date"][:4] == str(year + 1)
    assert (made["status"], made["plan_name"], made["price"]) == ("active", "Archive", "120.00")
    history = client.get(f"/api/billing/history?user_id={user['id']}").json()["data"]
    assert [(row["subscription_id"], row["amount"], row["currency"]) for row in history] == [
        (made["id"], "120.00", "EUR")
    ]
    assert (history[0]["status"], history[0]["paid_at"]) == ("pending", "0000-00-00 00:00:00")
    assert history[0]["description"] == "Archive, 1 year"


def test_the_next_billing_date_is_one_calendar_cycle_ahead(
    client: httpx.Client, new_user: NewUser
) -> None:
    """A monthly plan is due in the next month: on the same day, or on its last one."""
    user = new_user()
    answer = client.post("/api/subscriptions", data={"user_id": str(user["id"]), "plan_id": "2"})
    made = answer.json()["data"]
    year, month, day = map(int, made["created_at"][:10].split("-"))
    next_year, next_month, next_day = map(int, made["next_billing_date"].split("-"))
    assert next_year * 12 + next_month == year * 12 + month + 1
    assert next_day == day or next_day in {28, 29, 30}
    history = client.get(f"/api/billing/history?user_id={user['id']}").json()["data"]
    assert history[0]["description"] == "Team, 1 month"


def test_only_one_active_subscription_for_a_plan(client: httpx.Client, new_user: NewUser) -> None:
    """A second one for the same plan is refused until the first is cancelled."""
    body = {"user_id": new_user()["id"], "plan_id": 1}
    first = client.post("/api/subscriptions", json=body).json()["data"]
    again = client.post("/api/subscriptions", json=body)
    assert again.status_code == 422
    assert again.content == (
        b'{"status":"error","message":"Validation failed",'
        b'"errors":{"plan_id":"already subscribed"}}'
    )
    assert client.post("/api/subscriptions", json={**body, "plan_id": 2}).status_code == 201
    client.post(f"/api/subscriptions/{first['id']}/cancel")
    assert client.post("/api/subscriptions", json=body).status_code == 201


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (b"{}", '{"user_id":"required","plan_id":"required"}'),
        (b'{"user_id":0,"plan_id":0}', '{"user_id":"unknown user","plan_id":"unknown plan"}'),
        (b'{"user_id":-1,"plan_id":1}', '{"user_id":"required"}'),
        (b'{"user_id":1.0,"plan_id":1}', '{"user_id":"required"}'),
        (b'{"user_id":true,"plan_id":1}', '{"user_id":"required"}'),
        (b'{"user_id":null,"plan_id":1}', '{"user_id":"required"}'),
        (b'{"user_id":"1 ","plan_id":1}', '{"user_id":"required"}'),
        (b'{"user_id":[1],"plan_id":1}', '{"user_id":"required"}'),
        (b'{"user_id":"1 OR 1=1","plan_id":1}', '{"user_id":"required"}'),
        (b'{"user_id":99999999999999999999,"plan_id":1}', '{"user_id":"unknown user"}'),
        (b'{"user_id":1,"plan_id":"99999999999999999999"}', '{"plan_id":"unknown plan"}'),
        (b'{"user_id":999999,"plan_id":"x"}', '{"user_id":"unknown user","plan_id":"required"}'),
    ],
)
def test_create_with_wrong_ids(client: httpx.Client, body: bytes, errors: str) -> None:
    """Both ids are judged, in their order, before anything is written."""
    headers = {"Content-Type": "application/json"}
    answer = client.post("/api/subscriptions", content=body, headers=headers)
    assert answer.status_code == 422
    message = f'{{"status":"error","message":"Validation failed","errors":{errors}}}'
    assert answer.text == message


def test_an_inactive_plan_is_shown_but_not_sold(
    client: httpx.Client,
    new_user: NewUser,
    mariadb_server: MariaDb,
    scratch_database: Database,
) -> None:
    """A plan off sale leaves the list, can be read by id, and cannot be subscribed to."""
    insert = (
        "INSERT INTO subscription_plans (id, name, description, price, billing_cycle, is_active)"
        " VALUES (90, 'Old', '', 1, 'monthly', 0)"
    )
    mariadb_server.sql(insert, scratch_database.name)
    assert 90 not in [plan["id"] for plan in client.get("/api/plans").json()["data"]]
    assert client.get("/api/plans/90").json()["data"]["features"] == []
    answer = client.post("/api/subscriptions", json={"user_id": new_user()["id"], "plan_id": 90})
    assert answer.json()["errors"] == {"plan_id": "unknown plan"}


def test_cancel(client: httpx.Client, new_user: NewUser) -> None:
    """Cancelling changes the status alone; the second time is an error with status 200."""
    body = {"user_id": new_user()["id"], "plan_id": 3}
    made = client.post("/api/subscriptions", json=body).json()["data"]
    path = f"/api/subscriptions/{made['id']}/cancel"
    answer = client.post(path)
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "data": {**made, "status": "cancelled"}}
    again = client.post(path)
    assert again.status_code == 200
    assert again.content == b'{"status":"error","message":"Already cancelled"}'


def test_a_past_due_subscription_can_be_cancelled(client: httpx.Client) -> None:
    """Owing money does not keep anybody."""
    row = client.get("/api/subscriptions?status=past_due&page=9").json()["data"][0]
    answer = client.post(f"/api/subscriptions/{row['id']}/cancel")
    assert answer.json()["data"] == {**row, "status": "cancelled"}


@pytest.mark.parametrize("number", ["0", "9999999", "99999999999999999999"])
def test_unknown_subscription_is_answered_with_200(client: httpx.Client, number: str) -> None:
    """A subscription that does not exist is an error in the body."""
    for answer in (
        client.get(f"/api/subscriptions/{number}"),
        client.post(f"/api/subscriptions/{number}/cancel"),
    ):
        assert answer.status_code == 200
        assert answer.content == b'{"status":"error","message":"Subscription not found"}'
