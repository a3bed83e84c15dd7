from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.admin.explaining import Explaining, table_of
from proxy.admin.problems import ProblemError
from proxy.admin.schemas import RequestToExplain
from proxy.errors import RulesError
from tests.support_console import FakeController


async def test_a_version_is_compiled_with_its_rollbacks_and_kill_switch() -> None:
    """What is explained is what is in force, not only what is written."""
    controller = FakeController()
    record = await controller.rollback("plans", author="ada", reason="errors")
    table = table_of(record, b"")
    assert table.version == record.number
    assert [route.weight for route in table.routes if route.id == "plans"] == [0]


async def test_a_version_whose_document_is_broken_is_told() -> None:
    """The error carries the version as its file."""
    record = replace(await FakeController().version(18), text="routes: [")
    with pytest.raises(RulesError, match="version 18:1"):
        table_of(record, b"")


async def test_the_table_follows_the_version() -> None:
    """What was explained before a rollback is explained anew after it."""
    controller = FakeController()
    explaining = Explaining(controller, b"", b"")
    wanted = RequestToExplain("GET", "/api/plans", (("Cookie", "PHPSESSID=1"),))
    assert (await explaining.explain(wanted)).reason == "bucket"
    await controller.rollback("plans", author="ada", reason="errors")
    found = await explaining.explain(wanted)
    assert (found.reason, found.side) == ("rolled_back", "legacy")


async def test_a_request_that_the_proxy_refuses_is_a_problem() -> None:
    """It is told with its status, as the client would have it."""
    wanted = RequestToExplain("GET", "/", (("Transfer-Encoding", "gzip"),))
    with pytest.raises(ProblemError, match="refuses this request"):
        await Explaining(FakeController(), b"", b"").explain(wanted)
