from __future__ import annotations

import pytest

from proxy.commands.context import AnswerError, UnreachableError
from proxy.errors import CutoverError, SettingsError
from tests.support_commands import FakeClient, cutover


@pytest.mark.parametrize(
    ("failure", "code", "words"),
    [
        (AnswerError({"title": "refused"}), 1, "cutover: refused"),
        (UnreachableError("nobody there"), 3, "cutover: nobody there"),
        (SettingsError("no such setting"), 2, "cutover: no such setting"),
        (CutoverError("something else\nin two lines"), 1, "cutover: something else\nin two lines"),
    ],
)
def test_every_failure_has_its_exit_code_and_its_words(
    failure: CutoverError, code: int, words: str
) -> None:
    """On standard error; nothing on standard output, so that scripts read no rubbish."""
    result = cutover("routes", client=FakeClient(failure=failure))
    assert (result.code, result.out) == (code, "")
    assert result.err.strip() == words
