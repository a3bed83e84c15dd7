from __future__ import annotations

import pytest

from proxy.admin.api import read_if_match
from proxy.admin.problems import ProblemError


@pytest.mark.parametrize(
    ("values", "version"), [([], None), (["*"], None), (['"12"'], 12), ([' "0" '], 0)]
)
def test_if_match_names_one_version_or_any(values: list[str], version: int | None) -> None:
    """An ETag is the number of a version in quotes."""
    assert read_if_match(values) == version


@pytest.mark.parametrize(
    "values", [["12"], ['W/"12"'], ['"12", "13"'], ['"12"', '"13"'], ['"-1"'], [""]]
)
def test_any_other_if_match_is_refused(values: list[str]) -> None:
    """Never ignored: somebody relies on it."""
    with pytest.raises(ProblemError, match="If-Match"):
        read_if_match(values)
