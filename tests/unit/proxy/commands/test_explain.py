from __future__ import annotations

import json
from pathlib import Path

import pytest

from proxy.commands.context import AnswerError, UnreachableError
from tests.support_commands import FakeClient, cutover
from tests.support_console import DOCUMENT

ANSWER = {
    "version": 12,
    "method": "GET",
    "path": "/api/plans",
    "route": "plans",
    "side": "modern",
    "reason": "bucket",
    "bucket": 17,
    "steps": [{"name": "bucket", "outcome": "yes", "detail": "bucket 17 < 1000"}],
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a directory with a rules file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routing_rules.yaml").write_text(DOCUMENT)
    return tmp_path


def test_the_running_proxy_is_asked_first() -> None:
    """It alone knows rollbacks and the kill switch."""
    client = FakeClient({"/explain": ANSWER})
    result = cutover(
        "explain", "GET", "/api/plans", "-H", "Cookie: a=1", "-H", "cookie: b=2",
        "--client-ip", "203.0.113.7", client=client,
    )  # fmt: skip
    body = {
        "method": "GET",
        "target": "/api/plans",
        "headers": {"Cookie": ["a=1"], "cookie": ["b=2"]},
        "client_ip": "203.0.113.7",
    }
    assert client.sent == [("POST", "/explain", body, None)]
    assert result.code == 0
    assert "GET /api/plans: modern (bucket)" in result.out
    assert "(by version 12, in force (http://127.0.0.1:8090))" in result.out


@pytest.mark.usefixtures("here")
def test_without_a_running_proxy_the_file_explains_and_says_so() -> None:
    """The same chain, from the same routing code."""
    result = cutover("explain", "GET", "/api/plans", "-H", "X: y")
    assert result.code == 0
    assert "bucket" in result.out
    assert "(by routing_rules.yaml, because no admin API answers at" in result.out
    assert "neither rollbacks nor the kill switch" in result.out


def test_a_named_file_is_explained_without_asking_anybody(here: Path) -> None:
    """With --rules the running proxy plays no part."""
    client = FakeClient({"/explain": ANSWER})
    file = here / "routing_rules.yaml"
    result = cutover("explain", "GET", "/x", "--rules", str(file), "--json", client=client)
    assert client.sent == []
    found = json.loads(result.out)
    assert (found["route"], found["side"], found["reason"]) == (
        "everything-else",
        "legacy",
        "weight",
    )
    assert found["source"].startswith(f"by {file}")


@pytest.mark.usefixtures("here")
def test_an_admin_api_that_was_named_must_answer() -> None:
    """Who names one does not want an answer from elsewhere."""
    result = cutover("explain", "GET", "/api/plans", "--admin", "http://127.0.0.1:1")
    assert result.code == 3


def test_with_neither_proxy_nor_file_there_is_nothing_to_explain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the unreachable proxy is the error."""
    monkeypatch.chdir(tmp_path)
    client = FakeClient(failure=UnreachableError("no admin API answers"))
    assert cutover("explain", "GET", "/", client=client).code == 3


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("GET", "/a", "-H", "no colon"), 2, "NAME: VALUE"),
        (("GET", "api"), 1, "target: is not a path"),
        (("GET", "/a", "--client-ip", "me"), 1, "client_ip: is not an IP address"),
        (("GET", "/%2e%2e/%2e%2e"), 1, "refuses this request with 400"),
        (("BREW", "/a"), 1, "refuses this request with 501"),
    ],
)
def test_a_request_nobody_can_send_is_refused(
    here: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """With the reason, by the file as by the running proxy."""
    result = cutover("explain", *arguments, "--rules", str(here / "routing_rules.yaml"))
    assert result.code == code
    assert words in result.err


def test_a_refusal_of_the_running_proxy_is_not_answered_by_the_file() -> None:
    """It has spoken."""
    client = FakeClient(failure=AnswerError({"detail": "no", "mend": "write yes"}))
    result = cutover("explain", "GET", "/", client=client)
    assert (result.code, result.err) == (1, "cutover: no\n  write yes\n")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"route": None, "side": None}, "no route, 404"),
        ({"side": None}, "either side, drawn with a new identity"),
    ],
)
def test_an_answer_without_a_side_is_put_into_words(changes: dict[str, None], words: str) -> None:
    """There may be no route, or no identity yet."""
    client = FakeClient({"/explain": {**ANSWER, **changes}})
    assert words in cutover("explain", "GET", "/", client=client).out
