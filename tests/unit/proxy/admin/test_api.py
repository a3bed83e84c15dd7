from __future__ import annotations

import pytest

from proxy.admin.api import read_if_match, table_of
from proxy.admin.problems import ProblemError
from proxy.errors import RulesError
from tests.support_console import FakeController


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


async def test_a_version_is_compiled_with_its_rollbacks_and_kill_switch() -> None:
    """What is explained is what is in force, not only what is written."""
    controller = FakeController()
    record = await controller.rollback("plans", author="ada", reason="errors")
    table = table_of(record, b"")
    assert table.version == record.number
    assert [route.weight for route in table.routes if route.id == "plans"] == [0]


async def test_a_version_whose_document_is_broken_is_told() -> None:
    """The error carries the version as its file."""
    from dataclasses import replace

    record = replace(await FakeController().version(18), text="routes: [")
    with pytest.raises(RulesError, match="version 18:1"):
        table_of(record, b"")
