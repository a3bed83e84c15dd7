from __future__ import annotations

import json

import pytest

from tests.support_commands import cutover, filled_client

WHY = {"reason": "why", "author": "ada"}


@pytest.mark.parametrize(
    ("arguments", "sent", "words"),
    [
        (
            ("advance", "plans"),
            ("POST", "/routes/plans/advance", {"force": False, **WHY}, None),
            "plans: on step 3 of 5, 50%; a jump will be caught (version 18)",
        ),
        (
            ("advance", "plans", "--force", "--if-version", "18"),
            ("POST", "/routes/plans/advance", {"force": True, **WHY}, 18),
            "plans: on step 3 of 5, 50%; a jump will be caught (version 18)",
        ),
        (
            ("hold", "plans"),
            ("POST", "/routes/plans/hold", WHY, None),
            "plans: its plan is on hold (version 18)",
        ),
        (
            ("approve", "plans"),
            ("POST", "/routes/plans/approve", WHY, None),
            "plans: step 2 is approved (version 18)",
        ),
        (
            ("pin", "client_ip=10.0.0.9", "modern", "--route", "plans", "--route", "users"),
            (
                "POST",
                "/pin",
                {
                    "identity": "client_ip=10.0.0.9",
                    "side": "modern",
                    "routes": ["plans", "users"],
                    **WHY,
                },
                None,
            ),
            "client_ip=10.0.0.9: pinned to modern on plans, users (version 18)",
        ),
        (
            ("unpin", "client_ip=10.0.0.9"),
            ("POST", "/unpin", {"identity": "client_ip=10.0.0.9", **WHY}, None),
            "client_ip=10.0.0.9: no longer pinned (version 18)",
        ),
    ],
)
def test_a_change_is_sent_signed_and_answered_in_a_sentence(
    arguments: tuple[str, ...], sent: tuple[object, ...], words: str
) -> None:
    """As every other change; a step is answered with what it can be relied on to catch."""
    client = filled_client()
    result = cutover(*arguments, "--reason", "why", client=client)
    assert (result.code, result.err) == (0, "")
    assert client.sent == [sent]
    assert result.out.strip() == words


def test_pins_are_listed() -> None:
    """Who is held where, on which routes, and why."""
    result = cutover("pins", client=filled_client())
    assert result.out.splitlines()[1].split() == ["client_ip=10.0.0.9", "modern", "all", "qa"]
    found = json.loads(cutover("pins", "--json", client=filled_client()).out)
    assert found["pins"][0]["side"] == "modern"


def test_a_side_is_legacy_or_modern() -> None:
    """Nothing else is understood."""
    with pytest.raises(SystemExit):
        cutover("pin", "client_ip=10.0.0.9", "new", "--reason", "why", client=filled_client())
