from __future__ import annotations

import pytest

from proxy.commands.client import DEFAULT_URL, HttpClient, connect
from proxy.commands.context import AnswerError, UnreachableError, segment
from proxy.errors import SettingsError


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:8090", "ftp://host", "http://", "http://h:99999", "http://u:p@h", "http://h?x", ""],
)
def test_what_is_not_a_url_is_refused(url: str) -> None:
    """Before anything is sent anywhere."""
    with pytest.raises(SettingsError, match="is not the URL of an admin API"):
        HttpClient(url, None)


def test_the_address_comes_from_the_option_then_the_variable_then_the_default() -> None:
    """As for every other setting."""
    environ = {"CUTOVER_ADMIN_URL": "http://admin:1/"}
    assert connect("https://other", environ).url == "https://other"
    assert connect(None, environ).url == "http://admin:1"
    assert connect(None, {}).url == DEFAULT_URL


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"\xff"])
def test_something_else_that_answers_is_not_the_admin_api(content: bytes) -> None:
    """The port of the proxy itself, for example."""
    with pytest.raises(UnreachableError, match="not as the admin API does"):
        HttpClient(DEFAULT_URL, None)._understood(200, content)


def test_a_problem_is_raised_with_its_words() -> None:
    """The detail is the message, the rest goes with it."""
    with pytest.raises(AnswerError, match="no such route") as caught:
        HttpClient(DEFAULT_URL, None)._understood(404, b'{"detail": "no such route", "mend": "x"}')
    assert caught.value.problem["mend"] == "x"


def test_a_name_travels_as_one_segment() -> None:
    """Slashes and question marks cannot lead elsewhere."""
    assert segment("a/b?c#d%") == "a%2Fb%3Fc%23d%25"
