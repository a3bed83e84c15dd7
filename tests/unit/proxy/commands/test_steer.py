from __future__ import annotations

import json

import pytest

from proxy.commands.context import AnswerError
from tests.support_commands import FakeClient, cutover, filled_client

WHY = {"reason": "why", "author": "ada"}


@pytest.mark.parametrize(
    ("arguments", "sent", "words"),
    [
        (
            ("set-weight", "plans", "12.5%"),
            ("PUT", "/routes/plans/weight", {"weight": "12.5%", **WHY}, None),
            "plans: 10% -> 12.5% (version 18)",
        ),
        (
            ("set-weight", "plans", "50", "--if-version", "18"),
            ("PUT", "/routes/plans/weight", {"weight": "50", **WHY}, 18),
            "plans: 10% -> 50% (version 18)",
        ),
        (
            ("rollback", "plans"),
            ("POST", "/routes/plans/rollback", WHY, None),
            "plans: rolled back, legacy serves everybody (version 18)",
        ),
        (
            ("resume", "plans"),
            ("POST", "/routes/plans/resume", {"force": False, **WHY}, None),
            "plans: resumed (version 18)",
        ),
        (
            ("resume", "plans", "--weight", "1%", "--force"),
            ("POST", "/routes/plans/resume", {"force": True, "weight": "1%", **WHY}, None),
            "plans: resumed (version 18)",
        ),
        (
            ("kill",),
            ("PUT", "/kill-switch", {"on": True, **WHY}, None),
            "kill switch on: everything goes to legacy (version 18)",
        ),
        (
            ("unkill",),
            ("PUT", "/kill-switch", {"on": False, **WHY}, None),
            "kill switch off: the rules decide again (version 18)",
        ),
    ],
)
def test_a_change_is_sent_signed_and_answered_in_a_sentence(
    arguments: tuple[str, ...], sent: tuple[object, ...], words: str
) -> None:
    """The author is the user of the operating system."""
    client = filled_client()
    result = cutover(*arguments, "--reason", "why", client=client)
    assert (result.code, result.err) == (0, "")
    assert client.sent == [sent]
    assert result.out.strip() == words


def test_an_author_can_be_named() -> None:
    """For somebody else's change, or a robot's."""
    client = filled_client()
    cutover("kill", "--reason", "why", "--author", "pager", client=client)
    assert client.sent[0][2]["author"] == "pager"


def test_scripts_get_the_new_version() -> None:
    """As the API answers it."""
    result = cutover("rollback", "plans", "--reason", "why", "--json", client=filled_client())
    assert json.loads(result.out)["number"] == 18


def test_a_refusal_is_exit_1_with_the_way_out() -> None:
    """The sentence of the API and how to mend it; as JSON for scripts."""
    problem = {"detail": "There is no route 'plnas'.", "mend": "Did you mean plans?"}
    client = FakeClient(failure=AnswerError(problem))
    arguments = ("set-weight", "plnas", "10%", "--reason", "why")
    result = cutover(*arguments, client=client)
    assert result.code == 1
    assert result.err == "cutover: There is no route 'plnas'.\n  Did you mean plans?\n"
    result = cutover(*arguments, "--json", client=client)
    assert (result.code, json.loads(result.out)) == (1, problem)
