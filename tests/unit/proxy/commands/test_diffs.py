from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tests.support_commands import FakeClient, cutover, filled_client, no_sleep


def test_the_list_shows_where_and_what_and_how_often() -> None:
    """And how much was compared, without which no difference means nothing."""
    client = filled_client()
    result = cutover("diffs", client=client)
    [line] = [each for each in result.out.splitlines() if each.startswith("9f1c2ab4d0e17735")]
    assert result.code == 0
    assert line.split()[1:5] == ["plans", "open", "412", "2.1%"]
    assert '$.data[id=2].price (critical)  "29.00"' in line
    assert (
        "2,391 pairs compared, 14 differ; ignored: 38 rules; not compared: 5 dropped, 2 timeout."
        in result.out
    )


def test_filters_are_passed_on() -> None:
    """To the API, for the list and for the coverage below it."""
    client = filled_client()
    cutover("diffs", "--route", "plans", "--critical", "--limit", "5", client=client)
    assert client.asked == [
        ("/differences", {"route": "plans", "critical": "true", "state": "open", "limit": "5"}),
        ("/coverage", {"route": "plans"}),
    ]


def test_groups_are_searched_and_filtered() -> None:
    """Alike where they are listed and where they are exported."""
    filters = ("--search", "price 29.00", "--kind", "value_changed", "--since-version", "17")
    for arguments in (("list", *filters), (*filters, "list"), ("export", "--csv", *filters)):
        client = filled_client()
        cutover("diffs", *arguments, client=client)
        query = client.asked[0][1]
        assert query["search"] == "price 29.00"
        assert query["kind"] == "value_changed"
        assert query["since_version"] == "17"


def test_no_comparison_is_not_no_difference() -> None:
    """An empty list says why it is empty."""
    client = FakeClient(
        {"/differences": {"differences": [], "next_offset": None}, "/coverage": {"coverage": []}}
    )
    assert cutover("diffs", client=client).out == "Nothing has been compared yet.\n"


def test_a_group_is_shown_with_its_samples() -> None:
    """The request to repeat, and each difference with both values."""
    result = cutover("diffs", "show", "9f1c2ab4d0e17735", client=filled_client())
    assert "9f1c2ab4d0e17735 on plans, critical" in result.out
    assert "curl --path-as-is -X GET" in result.out
    assert "$.data[id=2].features.sla  extra          (nothing)" in result.out


def test_scripts_get_json() -> None:
    """As the API answers."""
    client = filled_client()
    found = cutover("diffs", "--json", client=client)
    assert json.loads(found.out) == {
        **client.answers["/differences"], **client.answers["/coverage"],
    }  # fmt: skip
    found = cutover("diffs", "show", "9f1c2ab4d0e17735", "--json", client=client)
    assert json.loads(found.out)["samples"]


@pytest.mark.parametrize("arguments", [("show",), ("list", "9f1c2ab4d0e17735"), ("accept", "9f")])
def test_what_is_missing_or_too_much_is_exit_2(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """A signature goes with show, and an end with accept."""
    with pytest.raises(SystemExit) as caught:
        cutover("diffs", *arguments, client=filled_client())
    assert caught.value.code == 2
    assert "usage: cutover" in capsys.readouterr().err


def test_options_may_stand_before_and_behind_list() -> None:
    """What is said before the inner command is not forgotten."""
    for arguments in (
        ("--route", "plans", "--json", "list"),
        ("list", "--route", "plans", "--json"),
    ):
        client = filled_client()
        assert json.loads(cutover("diffs", *arguments, client=client).out)
        assert client.asked[0][1]["route"] == "plans"


def test_exit_code_tells_scripts() -> None:
    """Of a difference, and of nothing compared; without the option listing is no failure."""
    client = filled_client()
    assert cutover("diffs", "list", "--exit-code", client=client).code == 1
    assert cutover("diffs", client=client).code == 0
    client.answers["/differences"] = {"differences": [], "next_offset": None}
    assert cutover("diffs", "--exit-code", client=client).code == 0
    client.answers["/coverage"] = {"coverage": []}
    assert cutover("diffs", "--exit-code", client=client).code == 1


def test_all_states_can_be_listed() -> None:
    """Open ones are what is asked for mostly."""
    client = filled_client()
    cutover("diffs", "list", "--state", "all", client=client)
    assert "state" not in client.asked[0][1]


def test_watching_prints_what_appears_and_what_grows() -> None:
    """Each group once, and again when its count rises."""
    client = filled_client()
    groups: list[dict[str, Any]] = client.answers["/differences"]["differences"]
    counts_after = iter([413, 413])

    def sleep(seconds: float) -> None:
        count = next(counts_after, None)
        if count is None:
            no_sleep(seconds)
        groups[0]["count"] = count

    printed = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        cutover("diffs", "watch", client=client, sleep=sleep, out=printed)
    counts = [line.split()[:4:3] for line in printed.getvalue().splitlines()]
    assert counts == [
        ["c0ffee00c0ffee00", "1"],
        ["47aa10f3c2b9d811", "14"],
        ["9f1c2ab4d0e17735", "412"],
        ["9f1c2ab4d0e17735", "413"],
    ]
