from __future__ import annotations

import json
from pathlib import Path

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
            ("resume-writes", "plans"),
            ("POST", "/routes/plans/resume-writes", WHY, None),
            "plans: writes are mirrored again (version 18)",
        ),
        (
            ("resume", "plans", "--weight", "1%", "--force"),
            ("POST", "/routes/plans/resume", {"force": True, "weight": "1%", **WHY}, None),
            "plans: resumed (version 18)",
        ),
        (
            ("deployed",),
            ("POST", "/deployed", WHY, None),
            "all routes are measured anew (version 18)",
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


def test_without_an_api_the_kill_switch_is_said_to_be_a_file() -> None:
    """The operator at 3 a.m. does not have to know it."""
    result = cutover("kill", "--reason", "why")
    assert result.code == 3
    assert "cutover kill --state DIR" in result.err
    assert "DIR/kill" in result.err


def test_the_kill_file_is_made_and_removed_without_an_api(tmp_path: Path) -> None:
    """It holds who and why; to remove what is not there is no mistake."""
    state = str(tmp_path)
    made = cutover("kill", "--state", state, "--reason", "wrong prices")
    assert made.code == 0
    assert made.out.startswith(f"kill switch on by {tmp_path}/kill: everything on this host")
    assert json.loads((tmp_path / "kill").read_text()) == {
        "author": "ada",
        "reason": "wrong prices",
    }
    removed = cutover("unkill", "--state", state, "--reason", "mended", "--json")
    assert json.loads(removed.out) == {"kill_file": f"{tmp_path}/kill", "on": False}
    assert not (tmp_path / "kill").exists()
    assert "nothing was changed" in cutover("unkill", "--state", state, "--reason", "again").out


@pytest.mark.parametrize("command", ["kill", "unkill"])
def test_a_state_directory_that_is_not_there_is_a_mistake(command: str, tmp_path: Path) -> None:
    """A file in the wrong place would be followed by nobody."""
    result = cutover(command, "--state", str(tmp_path / "wrong"), "--reason", "why")
    assert result.code == 2
    assert "there is no such directory on this host" in result.err
