from __future__ import annotations

import json

from proxy.routing.schema import rules_from_plain
from tests.support_commands import cutover, filled_client
from tests.support_routing import plain, route


def test_proposals_are_listed_with_what_to_write() -> None:
    """Each with its route, path and numbers, and the entry as the rules take it."""
    client = filled_client()
    result = cutover("diffs", "proposals", "--route", "plans", client=client)
    assert client.asked == [("/differences/proposals", {"route": "plans"})]
    first, entry, second, bound = result.out.splitlines()
    assert first.startswith("plans: $.meta.at: of 40 answers that were asked for twice 40")
    assert entry == '  compare: {ignore: [{"path": "$.meta.at", "reason": "noise"}]}'
    assert second == "plans: $.meta.clock: by less than a minute"
    assert bound == '  compare: {tolerances: {"$.meta.clock": {"time": "60s"}}}'


def test_what_is_to_be_written_is_taken() -> None:
    """The entries are valid in a rules file."""
    for line in cutover("diffs", "proposals", client=filled_client()).out.splitlines():
        if line.startswith("  compare: "):
            section, _, value = line.removeprefix("  compare: {").removesuffix("}").partition(": ")
            rules_from_plain(plain(route("/a", "a", compare={section: json.loads(value)})))


def test_nothing_to_propose_is_said() -> None:
    """An empty list is told from a list that failed."""
    client = filled_client()
    client.answers["/differences/proposals"] = {"proposals": []}
    assert cutover("diffs", "proposals", client=client).out.startswith("no proposals: ")
    asked = cutover("diffs", "proposals", "--json", client=client)
    assert json.loads(asked.out) == {"proposals": []}
