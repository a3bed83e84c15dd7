"""Explaining requests by the rules in force, which are compiled once for each version."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from proxy.admin.explain import Explanation, explain
from proxy.admin.interfaces import Controller
from proxy.admin.problems import Problem, ProblemError
from proxy.admin.schemas import RequestToExplain
from proxy.control.status import VersionRecord
from proxy.routing.schema import load_rules
from proxy.routing.table import Table
from proxy.wire.errors import RequestError


class Explaining:
    """Keeps the table in force; its keys sign cookies and overrides."""

    def __init__(self, controller: Controller, mint_key: bytes, override_key: bytes) -> None:
        self._controller = controller
        self._mint_key = mint_key
        self._override_key = override_key
        self._table: Table | None = None

    async def explain(self, wanted: RequestToExplain) -> Explanation:
        """Say which side would serve a request; raises ProblemError for one that is refused."""
        try:
            table = await self._table_in_force()
            return explain(table, wanted, self._override_key, time.time())
        except RequestError as error:
            detail = f"The proxy refuses this request with {error.status}: {error}"
            raise ProblemError(Problem(422, "not-explained", detail)) from error

    async def _table_in_force(self) -> Table:
        """Compile the rules in force; the last table is kept until the version moves."""
        status = self._controller.brief()
        version, killed = status.version, status.kill_switch
        table = self._table
        if table is None or (table.version, table.kill_switch) != (version, killed):
            record = replace(await self._controller.version(version), kill_switch=killed)
            self._table = table = await asyncio.to_thread(table_of, record, self._mint_key)
        return table


def table_of(record: VersionRecord, mint_key: bytes) -> Table:
    """Compile the document of a version."""
    _, rules = load_rules(record.text, f"version {record.number}")
    rolled_back = frozenset(record.rolled_back)
    return Table(rules, rolled_back, record.kill_switch, record.number, mint_key)
