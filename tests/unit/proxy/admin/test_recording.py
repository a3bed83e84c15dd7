from __future__ import annotations

import pytest

from proxy.admin.problems import ProblemError
from proxy.admin.recording import read_if_match


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ([], None),
        (["*"], None),
        (['"none"'], "none"),
        ([' "20261201T120000Z" '], "20261201T120000Z"),
    ],
)
def test_if_match_names_a_recording_or_none_or_any(values: list[str], name: str | None) -> None:
    """As it was read."""
    assert read_if_match(values) == name


@pytest.mark.parametrize("values", [["none"], ['W/"none"'], ['"a", "b"'], ['"a"', '"b"'], ['""']])
def test_any_other_if_match_is_refused(values: list[str]) -> None:
    """Never ignored: somebody relies on it."""
    with pytest.raises(ProblemError, match="If-Match"):
        read_if_match(values)
