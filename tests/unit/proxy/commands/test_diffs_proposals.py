from __future__ import annotations

import json

from proxy.routing.schema import rules_from_plain
from tests.support_commands import cutover, filled_client
from tests.support_console import FakeReport
from tests.support_routing import plain, route


def test_proposals_are_listed_with_what_to_write() -> None:
    """Each with its route, path and numbers, and the entry as the rules take it."""
    client = filled_client()
    result = cutover("diffs", "proposals", "--route", "plans", client=client)
    assert client.asked == [("/differences/proposals", {"route": "plans", "limit": "50"})]
    first, entry, second, bound = result.out.splitlines()
    told = "plans: $.meta.at: of 40 answers that were asked for twice 40"
    assert first.partition("  ")[2].startswith(told)
    assert entry == '  compare: {ignore: [{"path": "$.meta.at", "reason": "noise"}]}'
    assert second.partition("  ")[2] == "plans: $.meta.clock: by less than a minute"
    assert bound == '  compare: {tolerances: {"$.meta.clock": {"time": "60s"}}}'


def test_what_is_to_be_written_is_taken() -> None:
    """The entries are valid in a rules file."""
    for line in cutover("diffs", "proposals", client=filled_client()).out.splitlines():
        if line.startswith("  compare: "):
            section, _, value = line.removeprefix("  compare: {").removesuffix("}").partition(": ")
            rules_from_plain(plain(route("/a", "a", compare={section: json.loads(value)})))


def test_a_list_that_goes_on_says_so() -> None:
    """What is not shown is told of."""
    client = filled_client()
    client.answers["/differences/proposals"]["next_offset"] = 2
    result = cutover("diffs", "proposals", "--limit", "2", client=client)
    assert result.out.splitlines()[-1] == "There may be more than these 2; see --limit."


def test_nothing_to_propose_is_said() -> None:
    """An empty list is told from a list that failed."""
    client = filled_client()
    client.answers["/differences/proposals"] = {"proposals": [], "next_offset": None}
    assert cutover("diffs", "proposals", client=client).out.startswith("no proposals: ")
    asked = cutover("diffs", "proposals", "--json", client=client)
    assert json.loads(asked.out) == {"proposals": [], "next_offset": None}


def test_a_proposal_is_adopted_by_its_name() -> None:
    """With reason and author, and what an ignore rule asks for."""
    client = filled_client()
    name = FakeReport().proposed[0].id
    arguments = ("--reason", "a clock", "--author", "kim", "--until", "2027-03-01")
    result = cutover("diffs", "adopt", name, *arguments, "--if-version", "17", client=client)
    path = f"/differences/proposals/{name}/accept"
    body = {"reason": "a clock", "author": "kim", "until": "2027-03-01"}
    assert client.sent == [("POST", path, body, 17)]
    assert result.out.startswith(f"{name}: in force (version ")
