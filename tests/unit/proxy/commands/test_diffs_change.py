from __future__ import annotations

import json

from tests.support_commands import cutover, filled_client

NAME = "9f1c2ab4d0e17735"


def test_accept_sends_what_was_said() -> None:
    """With the user as author unless another is named."""
    client = filled_client()
    result = cutover(
        "diffs", "accept", NAME, "--until", "2027-03-01", "--reason", "clock", "--owner", "billing",
        "--path", "$.a", "--path", "$.b", "--if-version", "17", client=client,
    )  # fmt: skip
    assert client.sent == [
        (
            "POST",
            f"/differences/{NAME}/accept",
            {
                "reason": "clock", "author": "ada", "until": "2027-03-01", "critical": False,
                "owner": "billing", "paths": ["$.a", "$.b"],
            },
            17,
        )
    ]  # fmt: skip
    assert result.code == 0
    assert "expected until 2027-03-01" in result.out
    assert "(version 18)" in result.out


def test_fixed_sends_who_and_why() -> None:
    """And says that it is not for ever."""
    client = filled_client()
    result = cutover("diffs", "fixed", NAME, "--reason", "2.4", "--author", "bob", client=client)
    assert client.sent[0][2] == {"reason": "2.4", "author": "bob"}
    assert "opens again" in result.out


def test_scripts_get_json() -> None:
    """As the API answers."""
    client = filled_client()
    found = cutover("diffs", "fixed", NAME, "--reason", "2.4", "--json", client=client)
    assert json.loads(found.out)["id"] == NAME
    found = cutover(
        "diffs", "accept", NAME, "--reason", "x", "--until", "2027-03-01", "--json", client=client
    )
    assert json.loads(found.out)["number"] == 18


def test_refusals_are_told() -> None:
    """A signature that is not there is exit 1."""
    result = cutover("diffs", "fixed", "0000", "--reason", "x", client=filled_client())
    assert result.code == 1
    assert "/differences/0000/fixed" in result.err
